# SPDX-License-Identifier: Apache-2.0
"""Reads a definition and a registry as plain dicts, straight from the files (second counter)."""
import csv
import hashlib
import json
from pathlib import Path

import methods

LIMITS = {"P01_bp": 300, "P02_bp": 300, "P03_bp": 200, "P03_abs": 15, "P05_bp": 9900, "P06_bp": 2000,
          "P07_bp": 10000, "P08_min": 30, "N08_missing_bp": 200}
POLICY = {"release": {"commission": 1, "supervision": 1}, "explain": {"commission": 1}, "annul": {"supervision": 2},
          "reinstate": {"supervision": 2}, "lot": {"commission": 1, "supervision": 1},
          "exclude": {"commission": 1, "supervision": 1}, "certify": {"commission": 2, "supervision": 1},
          "key": {"commission": 1, "operator": 1}, "state": {"commission": 1, "operator": 1},
          "revise": {"supervision": 1}, "publish_min_ballots": 0}
FILES = ("areas.csv", "ballots.csv", "branches.csv", "candidates.csv", "contests.csv", "election.json", "lists.csv")


def rows(path):
    with open(path, encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def package_hash(folder, names):
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(names)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Contest:
    def __init__(self, code, area, method, parameters, seats, alternates, max_choices, closes_at):
        self.code, self.area, self.method = code, area, method
        self.parameters = {**methods.DEFAULTS[method], **parameters}
        self.seats, self.alternates, self.max_choices, self.closes_at = seats, alternates, max_choices, closes_at
        self.lists, self.candidates = [], {}  # candidate: its list or None
        self.branches = []

    @property
    def by_lists(self):
        return methods.is_list_method(self.method)


class Branch:
    def __init__(self, code, area, capacity):
        self.code, self.area, self.capacity = code, area, capacity  # None: not known
        self.contests = []


class Definition:
    """What is elected and who may speak."""

    def __init__(self, head, digest):
        self.head, self.hash = head, digest
        self.limits = {**LIMITS, **head.get("limits", {})}
        self.policy = {**POLICY, **head.get("policy", {})}
        self.parents, self.contests, self.branches = {}, {}, {}
        self.terminals, self.officers, self.clients = {}, {}, []

    def within(self, area, above):
        return area is not None and (area == above or self.within(self.parents[area], above))

    def up(self, area):
        """The area and all above it."""
        return [] if area is None else [area, *self.up(self.parents[area])]


def read_contests(d, folder, rules):
    for row in rows(folder / "contests.csv"):
        rule = dict(rules[row["rule"]])
        d.contests[row["contest"]] = Contest(
            row["contest"], row["area"], rule.pop("method"), rule, int(row["seats"]), int(row["alternates"]),
            int(row["max_choices"]), int(row["closes_at"]) if row["closes_at"] else None)
    for row in rows(folder / "lists.csv"):
        d.contests[row["contest"]].lists.append(row["list"])
    for row in rows(folder / "candidates.csv"):
        d.contests[row["contest"]].candidates[row["candidate"]] = row["list"] or None


def read(directory):
    folder = Path(directory) / "definition"
    head = json.loads((folder / "election.json").read_text("utf-8"))
    d = Definition(head, package_hash(folder, FILES))
    d.parents = {row["area"]: row["parent"] or None for row in rows(folder / "areas.csv")}
    read_contests(d, folder, head["rules"])
    for row in rows(folder / "branches.csv"):
        d.branches[row["branch"]] = Branch(row["branch"], row["area"], int(row["capacity"]) if row["capacity"] else None)
    for row in rows(folder / "ballots.csv"):
        d.branches[row["branch"]].contests.append(row["contest"])
        d.contests[row["contest"]].branches.append(row["branch"])
    registry = Path(directory) / "registry"
    d.clients = rows(registry / "clients.csv")
    d.terminals = {row["terminal"]: row for row in rows(registry / "terminals.csv")}
    d.officers = {row["officer"]: row for row in rows(registry / "officers.csv")}
    return d
