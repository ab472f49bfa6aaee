# SPDX-License-Identifier: Apache-2.0
"""Adds to an enrolled election whom only tests want, and signs the registry again.

    prepare.py DIR TALLYCTL

clients: relay.part and officer.part (of the first province), relay.expired and relay.future (by their dates)
terminals: the last branch's is revoked;  officers: supervision.part (of the second province)
keys/strangers: unknown.pem (of our CA, not registered), selfsigned.pem
"""
import base64
import csv
import hashlib
import subprocess
import sys
import time
from pathlib import Path

from nacl.signing import SigningKey

DAY_S = 86400


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


def certificate_hash(pem):
    text = Path(pem).read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    return hashlib.sha256(base64.b64decode(text)).hexdigest()


def append(path, *rows):
    with open(path, "a", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)


def provinces(directory):
    with open(directory / "definition/areas.csv", encoding="utf-8", newline="") as text:
        return [row["area"] for row in csv.DictReader(text) if row["level"] == "province"]


def revoke_last_terminal(path):
    """Spare terminals stand last and have no branch."""
    lines = path.read_text("utf-8").splitlines()
    last = max(i for i, line in enumerate(lines) if line.split(",")[1] and i > 0)
    lines[last] = lines[last].removesuffix(",active") + ",revoked"
    path.write_text("\n".join(lines) + "\n", "utf-8")


def main(directory, tallyctl):
    keys, registry = directory / "keys", directory / "registry"
    (keys / "strangers").mkdir()
    (keys / "issued.csv").write_text("name,usage,certificate,not_before,not_after,revoked_at\n")
    first, second = provinces(directory)[:2]
    now = int(time.time())
    for name, role, area, begins, ends in (
            ("relay.part", "relay", first, now - DAY_S, now + DAY_S),
            ("officer.part", "officer", first, now - DAY_S, now + DAY_S),
            ("relay.expired", "relay", first, now - 2 * DAY_S, now - DAY_S),
            ("relay.future", "relay", first, now + DAY_S, now + 2 * DAY_S)):
        run(tallyctl, "pki", "issue", keys, name, "-o", keys / "clients" / name)
        append(registry / "clients.csv",
               (name, role, area, certificate_hash(keys / f"clients/{name}.pem"), begins, ends, name))
    run(tallyctl, "pki", "issue", keys, "unknown", "-o", keys / "strangers/unknown")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
        "/CN=selfsigned", "-keyout", keys / "strangers/key", "-out", keys / "strangers/crt")
    (keys / "strangers/selfsigned.pem").write_text((keys / "strangers/crt").read_text() +
                                                   (keys / "strangers/key").read_text())
    seed = hashlib.sha256(b"supervision.part").digest()
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    (keys / "officers/supervision.part.key").write_text(
        "-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(der).decode() + "\n-----END PRIVATE KEY-----\n")
    append(registry / "officers.csv", ("supervision.part", "supervision", second,
                                       bytes(SigningKey(seed).verify_key).hex(), "supervision.part"))
    revoke_last_terminal(registry / "terminals.csv")
    run(tallyctl, "sign", registry, "--key", keys / "root.key")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
