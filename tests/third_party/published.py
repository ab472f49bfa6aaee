# SPDX-License-Identifier: Apache-2.0
"""What the published folder holds, as the other programs of this folder read it.

    published.py DIR LOG OUT    DIR: an enrolled election; OUT/bundles.ndjson, OUT/decisions.ndjson: {"envelope":...} a
                                line; OUT/keys.txt: "KEYID BASE64" of terminals, officers and the root key
"""
import base64
import csv
import hashlib
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from client import seed_of  # noqa: E402
from nacl.signing import SigningKey  # noqa: E402
from publog import folder  # noqa: E402


def signing_keys(path):
    with open(path, encoding="utf-8", newline="") as text:
        return [bytes.fromhex(row["signing_key"]) for row in csv.DictReader(text)]


def main(directory, log, out):
    facts, envelopes = folder(log).check()
    files = {"bundle": open(out / "bundles.ndjson", "w", encoding="utf-8"),
             "exclude": open(out / "decisions.ndjson", "w", encoding="utf-8")}
    for fact, envelope in zip(facts, envelopes):
        if fact["kind"] in files:
            files[fact["kind"]].write(json.dumps({"envelope": json.loads(envelope)}) + "\n")
    for file in files.values():
        file.close()
    keys = [bytes(SigningKey(seed_of(directory / "keys/root.key")).verify_key)]
    for name in ("terminals", "officers"):
        keys += signing_keys(directory / f"registry/{name}.csv")
    (out / "keys.txt").write_text("".join(f"{hashlib.sha256(key).hexdigest()} {base64.b64encode(key).decode()}\n"
                                          for key in keys))


if __name__ == "__main__":
    main(*(Path(arg) for arg in sys.argv[1:4]))
