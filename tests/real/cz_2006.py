#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Czech municipal councils of 2006 as lines for the seat calculator, a council or ward each, official seats beside.

    cz_2006.py SOURCE_DIR      SOURCE_DIR: cz-municipal-2006; JSON lines on stdout

D'Hondt, a bar of 5 % that is lower for short lists, no more seats than persons, equal quotients to more votes
(act 491/2001, section 45). The number of persons of a list is no column: the published percentage is of
total * persons / seats, cut (not rounded) after two places, so persons lie in an interval. Where that holds no
whole number but one, the council stands there twice, with the fewest and with the most persons possible ("...-few",
"...-many"). A list whose percentage is cut to nothing is taken as a full one: it is under any bar.
Where every list is one person the council is a line of method block too ("...-block").

Councils of several wards have a row a ward beside a row for the whole; OBVODY 2 marks the ward.
"""
import csv
import io
import json
import lzma
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path


def rows(path):
    return csv.DictReader(io.StringIO(lzma.open(path).read().decode()), delimiter=";")


def persons(votes, percent, total, seats):
    """The fewest and the most persons that fit the percentage."""
    exact = Fraction(percent.replace(",", "."))
    if votes == 0 or exact == 0:
        return seats, seats
    top = votes * seats * 100 / (exact * total)
    low = votes * seats * 100 / ((exact + Fraction(1, 100)) * total)
    fit = [n for n in range(1, seats + 1) if low < n <= top] or [min(max(round(top), 1), seats)]
    return fit[0], fit[-1]


def council(code, ward, lists, seats):
    """Its lines."""
    total = sum(int(row["HLASY_STR"]) for row in lists)
    fit = [persons(int(row["HLASY_STR"]), row["PROCHLSTR"], total, seats) for row in lists]
    facts = {"id": f"{code}-{ward}", "name": lists[0]["NAZEVZAST"], "seats": seats,
             "official": {row["POR_STR_HL"]: int(row["MAND_STR"]) for row in lists}}
    rule = {"method": "dhondt", "threshold": 0.05, "threshold_rule": "scaled_by_candidates",
            "equal_quotients_rule": "more_total_votes"}

    def entries(**more):
        return [{"id": row["POR_STR_HL"], "votes": int(row["HLASY_STR"]), **{k: v[i] for k, v in more.items()}}
                for i, row in enumerate(lists)]

    few, many = zip(*fit)
    if few == many:
        yield facts | rule | {"lists": entries(candidates=few)}
    else:
        yield facts | rule | {"id": facts["id"] + "-few", "lists": entries(candidates=few)}
        yield facts | rule | {"id": facts["id"] + "-many", "lists": entries(candidates=many)}
    if set(many) == {1}:
        yield facts | {"id": facts["id"] + "-block", "method": "block", "candidates": entries()}


def main(source):
    wards, groups = {}, defaultdict(list)
    for row in rows(source / "kv2006_councils.csv.xz"):
        key = row["KODZASTUP"], row["COBVODU"]
        if key not in wards or row["OBVODY"] == "2":
            wards[key] = int(row["MANDATY"])
    for row in rows(source / "kv2006_lists.csv.xz"):
        groups[row["KODZASTUP"], row["COBVODU"]].append(row)
    for (code, ward), lists in groups.items():
        for line in council(code, ward, lists, wards[code, ward]):
            print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
