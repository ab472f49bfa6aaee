# SPDX-License-Identifier: Apache-2.0
"""Adds officers of random areas to an enrolled election, and signs the registry again: officers.py DIR SEED TALLYCTL"""
import base64
import csv
import hashlib
import random
import subprocess
import sys
from pathlib import Path

from nacl.signing import SigningKey

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import definition  # noqa: E402

PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


def main(directory, seed, tallyctl):
    dice = random.Random(seed)
    areas = list(definition.read(directory).parents)
    with open(directory / "registry/officers.csv", "a", encoding="utf-8", newline="") as out:
        for role in ("commission", "supervision"):
            for n in range(3, 3 + dice.randint(1, 3)):
                name = f"{role}{n}"
                secret = hashlib.sha256(f"{seed} {name}".encode()).digest()
                text = base64.b64encode(PKCS8 + secret).decode()
                (directory / f"keys/officers/{name}.key").write_text(
                    f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
                csv.writer(out, lineterminator="\n").writerow(
                    (name, role, dice.choice(areas), bytes(SigningKey(secret).verify_key).hex(), name))
    subprocess.run([tallyctl, "sign", directory / "registry", "--key", directory / "keys/root.key"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
