# SPDX-License-Identifier: Apache-2.0
"""Terminals as `key` decisions change them, and whether the election takes bundles (second counter).  Written from
doc/formats.md, decisions, alone."""
import hashlib

from checks import Refused

TIME_MAX = 2**40 - 1
DATES = ("not_before", "not_after")
MEMBERS = {"add": {"branch", "signing_key", "certificate", *DATES}, "rotate": {"signing_key", "certificate", *DATES},
           "revoke": set(), "assign": {"branch"}}
STATES = ("open", "closed", "maintenance")


def keyid(key):
    return hashlib.sha256(bytes.fromhex(key)).hexdigest()


def is_hex(text):
    return isinstance(text, str) and len(text) == 64 and not set(text) - set("0123456789abcdef")


class Registry:
    def __init__(self, d):
        self.d = d
        self.terminals = {code: dict(t, changed=None) for code, t in d.terminals.items()}
        self.owner = {keyid(t["signing_key"]): code for code, t in d.terminals.items()}  # of every key there ever was
        self.keys = {keyid(t["signing_key"]): t["signing_key"] for t in d.terminals.values()}
        self.certificates = {t["certificate"] for t in (*d.terminals.values(), *d.clients)}
        self.officers = {keyid(o["signing_key"]) for o in d.officers.values()}
        self.state, self.until, self.changed = "open", None, None

    # ---- bundles -------------------------------------------------------------------------------------------
    def terminal_of(self, signer):
        """The terminal whose key it is, or was."""
        return self.terminals.get(self.owner.get(signer))

    def in_force(self, terminal, signer):
        return terminal["state"] == "active" and keyid(terminal["signing_key"]) == signer

    # ---- documents -----------------------------------------------------------------------------------------
    def check_key(self, target):
        """The areas that it touches; refuses what is no such target."""
        action = target.get("action")
        if not {"action", "terminal"} <= set(target) or set(target) - {"action", "terminal", *MEMBERS["add"]}:
            raise Refused(400, "S01")
        if action not in MEMBERS:
            raise Refused(422, "range")
        given = set(target) - {"action", "terminal"}
        optional = {"branch"} if action == "add" else given if action == "rotate" else set()
        if given - MEMBERS[action] or (action != "rotate" and MEMBERS[action] - given - optional):
            raise Refused(400, "S01")
        if action == "rotate" and not given & {"signing_key", "certificate"}:
            raise Refused(400, "S01")
        if len(given & set(DATES)) == 1:
            raise Refused(400, "S01")
        now = self.terminals.get(target["terminal"])
        if action != "add" and now is None:
            raise Refused(422, "A07")
        if "branch" in given and target["branch"] not in self.d.branches:
            raise Refused(422, "A07")
        for member in ("signing_key", "certificate"):
            if member in given and not is_hex(target[member]):
                raise Refused(400, "S01")
            if member == "signing_key" and target.get(member) == "0" * 64:  # the one of small order that comes here
                raise Refused(422, "range")
        if DATES[0] in given and not target["not_before"] <= target["not_after"] <= TIME_MAX:
            raise Refused(422, "range")
        return self.areas_of(action, now, target.get("branch"))

    def areas_of(self, action, now, to):
        at = [b for b in (to, now["branch"] if now and (action == "assign" or to is None) and action != "add" else None) if b]
        root = next(a for a, up in self.d.parents.items() if up is None)
        return [self.d.branches[b].area for b in at] or [root]

    def check_state(self, target):
        if "state" not in target or set(target) - {"state", "until"}:
            raise Refused(400, "S01")
        if target["state"] not in STATES or not 0 <= target.get("until", 0) <= TIME_MAX:
            raise Refused(422, "range")
        return [next(a for a, up in self.d.parents.items() if up is None)]

    # ---- judging, and in force -----------------------------------------------------------------------------
    def judge_key(self, target, seen):
        action, now = target["action"], self.terminals.get(target["terminal"])
        if now is not None and now["changed"] is not None and now["changed"] >= seen:
            raise Refused(409, "changed")
        bad = now is not None if action == "add" else now["state"] != "active"
        bad = bad or action == "assign" and now["branch"] == target["branch"]
        if "signing_key" in target:
            bad = bad or keyid(target["signing_key"]) in {*self.owner, *self.officers}
        bad = bad or target.get("certificate") in self.certificates
        if bad:
            raise Refused(409, "state")

    def judge_state(self, target, seen):
        if self.changed is not None and self.changed >= seen:
            raise Refused(409, "changed")
        if (target["state"], target.get("until")) == (self.state, self.until):
            raise Refused(409, "state")

    def apply_key(self, target, position):
        code = target["terminal"]
        new = {k: v for k, v in target.items() if k != "action"}
        if target["action"] == "add":
            self.terminals[code] = {"branch": "", "state": "active", **new}
        else:
            self.terminals[code].update(new)
        if target["action"] == "revoke":
            self.terminals[code]["state"] = "revoked"
        self.terminals[code]["changed"] = position
        if "signing_key" in target:
            self.owner[keyid(target["signing_key"])] = code
            self.keys[keyid(target["signing_key"])] = target["signing_key"]
        if "certificate" in target:
            self.certificates.add(target["certificate"])

    def apply_state(self, target, position):
        self.state, self.until, self.changed = target["state"], target.get("until"), position
