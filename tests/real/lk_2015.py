#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sri Lanka, parliament of 2015, as lines for the seat calculator: 22 districts and the national list.

    lk_2015.py SOURCE_DIR      SOURCE_DIR: lk-parliament-2015; JSON lines on stdout

Hare quotas and largest remainders; in a district lists under 5 % are out and the largest list ("bonus") gets one
seat beforehand, so that a line's seats are one less. The source writes counts as fractions next to whole numbers.
Polling divisions and postal votes of a district are checked against its row, and the districts against the
country's.
"""
import csv
import io
import json
import lzma
import sys
from collections import Counter
from pathlib import Path

NOT_LISTS = ("entity_id", "valid", "rejected", "polled", "electors")
# Seats as the Election Commission published them; elected in districts, then from the national list.
DISTRICT_SEATS = {"UNP": 93, "UPFA": 83, "ITAK": 14, "JVP": 4, "SLMC": 1, "EPDP": 1}
NATIONAL_SEATS = {"UNP": 13, "UPFA": 12, "ITAK": 2, "JVP": 2}


def votes_of(row):
    return Counter({name: round(float(n)) for name, n in row.items() if name not in NOT_LISTS and round(float(n)) > 0})


def check_sums(rows):
    for code, votes in rows.items():
        parts = [v for c, v in rows.items() if code == "LK" and len(c) == 5 or c[:5] == code and len(c) > 5]
        if parts and sum(parts, Counter()) != votes:
            sys.exit(f"{code}: its parts do not add up to it")


def main(source):
    text = lzma.open(source / "parliament_2015_by_polling_division.tsv.xz").read().decode()
    rows = {row["entity_id"]: votes_of(row) for row in csv.DictReader(io.StringIO(text), delimiter="\t")}
    check_sums(rows)
    with open(source / "district_seats.csv", encoding="utf-8") as file:
        seats = {row["district"]: int(row["seats"]) for row in csv.DictReader(file) if row["year"] == "2015"}
    for code, number in sorted(seats.items()):
        line = {"id": f"lk2015-{code}", "method": "hare_lr", "seats": number,
                "lists": [{"id": name, "votes": n} for name, n in rows[code].items()]}
        if code != "LK":
            (first, most), (_, second) = rows[code].most_common(2)
            if most == second:
                sys.exit(f"{code}: two largest lists")
            line |= {"seats": number - 1, "threshold": 0.05, "bonus": first}
        print(json.dumps(line))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
