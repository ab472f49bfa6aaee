# SPDX-License-Identifier: Apache-2.0
"""Makes the bench's election: DIR/definition and DIR/counts.csv, payloads of about 4 KB.

Every branch reports three block contests of 60 candidates (a city council in each of 20 areas, and two
of the country), which is the payload that the targets are stated for.  The same seed gives the same
bytes.  Usage: election.py BRANCHES DIR
"""
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from package import Package  # noqa: E402

CITIES = 20
CANDIDATES = 60
SEATS = 9
SEED = 2026


def contest(package, code, area):
    package.contest(code, area, "city", SEATS, SEATS, code)
    for i in range(CANDIDATES):
        package.candidate(code, f"{code}.{i:04d}", "", f"candidate {i}")


def report(package, dice, branch, code):
    valid = dice.randint(200, 900)
    blank, invalid = dice.randint(0, 3), dice.randint(0, 3)
    candidates = {f"{code}.{i:04d}": dice.randint(0, valid // 8) for i in range(CANDIDATES)}
    package.report(branch, code, {"cast": valid + blank + invalid, "blank": blank, "invalid": invalid,
                                  "valid": valid}, candidates)


def main(branches, directory):
    dice = random.Random(SEED)
    package = Package("bench-1", "bench", "Asia/Tehran", {"city": {"method": "block"}})
    package.area("ir", "", "country", "country")
    for code in ("council-a", "council-b"):
        contest(package, code, "ir")
    for city in range(CITIES):
        package.area(f"city{city:02d}", "ir", "city", f"city {city}")
        contest(package, f"city{city:02d}-c", f"city{city:02d}")
    for i in range(branches):
        branch, city = f"b{i:06d}", i % CITIES
        package.branch(branch, f"city{city:02d}", "", f"branch {i}")
        for code in (f"city{city:02d}-c", "council-a", "council-b"):
            report(package, dice, branch, code)
    package.write(directory)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
