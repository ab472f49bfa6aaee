# SPDX-License-Identifier: Apache-2.0
"""Test Anything Protocol, as tests/run reads it."""
import sys


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, passed, name, *why):
        """why is printed when the test failed."""
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}", flush=True)
        if not passed:
            for line in why:
                print(f"# {line}")
        return passed

    def same(self, got, want, name):
        """Equal; where dicts differ only the differing keys are printed."""
        if isinstance(got, dict) and isinstance(want, dict):
            keys = [k for k in {**want, **got} if got.get(k) != want.get(k)]
            return self.ok(got == want, name, *(f"{k}: got {got.get(k)!r}, want {want.get(k)!r}" for k in keys[:10]))
        return self.ok(got == want, name, f"got  {got!r}", f"want {want!r}")

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
