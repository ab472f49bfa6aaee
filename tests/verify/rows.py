# SPDX-License-Identifier: Apache-2.0
"""How a row of the table of damages is written."""


class Row:
    def __init__(self, name, base, function):
        self.name, self.base, self.function, self.wanted = name, base, function, None

    def make(self, a):
        """Damages the archive; what must be found: ["check at", ...], or the exit status 2."""
        wanted = self.function(a)
        self.wanted = [] if isinstance(wanted, int) else wanted
        return wanted


ROWS = []


def damage(name, base="night"):
    """@damage("what is done") on a function of a Forge that returns what must be found."""
    def add(function):
        assert name not in {r.name for r in ROWS}, name
        ROWS.append(Row(name, base, function))
        return function
    return add


def flip(data, at, mask=1):
    """The bytes with one bit changed; at may be negative."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1:]


def entry(i):
    return f"entry {i}"
