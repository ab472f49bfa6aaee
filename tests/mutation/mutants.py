# SPDX-License-Identifier: Apache-2.0
"""Plants the faults of mutants.txt one by one in a copy of the tree and says which test caught each.

A fault that no test notices is a number that nobody guards.  The caller is `make mutants`; words choose:
mutants.py [--check] [--full] [--table FILE] [--work DIR] [NAME...]
  --check   only whether every row fits the sources: its old text stands there exactly once
  --full    the whole of `make check` for each, not only the tests of its word
  --work    the folder for the copies (B/mutants)
B, CFG and MAKE come from the Makefile, T_COUNTS from tools/check-all.sh.
"""
import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIELDS = ("name", "file", "old", "new", "does", "test")
SUM = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
SIM_SEEDS = "10000"  # of the simulator, where a fault has to show itself; without one, its usual slice
BUILT = ("files", "flags", "version", "gen", "src", "tests", "tallyd", "tallyctl", "tallysim")  # and the archives
SAID_LIMIT = 110
FLAVOURS = ("release", "debug", "san")


def table_read(path):
    """Rows as dicts; a row is a paragraph, a field a line."""
    rows = []
    for paragraph in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        lines = [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        row = dict((line.split(None, 1) + [""])[:2] for line in lines)
        if tuple(row) != FIELDS or len(lines) != len(FIELDS):
            raise SystemExit(f"{path}: a row has the lines {' '.join(FIELDS)}, not:\n{paragraph}")
        rows.append({key: value.strip() for key, value in row.items()})
    names = [row["name"] for row in rows]
    twice = {name for name in names if names.count(name) > 1}
    if twice or not rows:
        raise SystemExit(f"{path}: {'no rows' if not rows else 'names that stand twice: ' + ' '.join(sorted(twice))}")
    return rows


def places(row, text):
    """Where the old text stands; clang-format may set its words farther apart."""
    return list(re.finditer(r"[ \t]+".join(map(re.escape, row["old"].split())), text))


def stale(row, root):
    """Why the row does not fit the sources, or None."""
    path = root / row["file"]
    if not path.is_file():
        return f"DOES NOT APPLY: there is no {row['file']}"
    n = len(places(row, path.read_text(encoding="utf-8")))
    if n != 1:
        return f"DOES NOT APPLY: the old text stands {n} times in {row['file']}, not once"
    if row["old"] == row["new"]:
        return "DOES NOT APPLY: old and new text are the same"
    return None


class Tree:
    """A copy of the sources with what is built already, so that a fault costs one compilation."""

    def __init__(self, root, build, full):
        self.root = root
        self.full = full
        self.flavour = os.environ.get("CFG") or (build.name if build.name in FLAVOURS else "release")
        shutil.rmtree(self.root, ignore_errors=True)
        inside = build.relative_to(ROOT) if build.is_relative_to(ROOT) else Path("build") / self.flavour
        shutil.copytree(ROOT, self.root, symlinks=True, ignore=lambda at, names: {
            n for n in names if Path(at) == ROOT and n in ("build", ".git") or n == "__pycache__"})
        to = self.root / inside  # of the build only what make made: tests that run meanwhile have folders beside it
        to.mkdir(parents=True)
        for path in build.glob("*"):
            if path.name in BUILT and path.is_dir():
                shutil.copytree(path, to / path.name, symlinks=True)
            elif path.name in BUILT or path.suffix == ".a":
                shutil.copy2(path, to)
        self.inside = inside
        self.clean = {}  # word: what is wrong without any fault, or None

    def check(self, word, seeds):
        """(passed, failed, what make said); passed is None when it does not build."""
        env = {k: v for k, v in os.environ.items() if k not in ("T_COUNTS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "B", "T")}
        env["T_JOBS"] = "1"
        if seeds:
            env["SIM_SEEDS"] = seeds
        env.setdefault("T_LIMIT_S", "300")  # a machine that is busy; what runs for ever is told, not counted
        shared = Path(os.environ.get("TALLY_SHARED", ROOT.parent / "shared"))
        env["TALLY_SHARED"] = str(shared.resolve())
        command = [os.environ.get("MAKE", "make"), "-C", str(self.root), "TLY_READY=1", f"CFG={self.flavour}", f"B={self.inside}",
                   "check"] + ([] if self.full else [f"T={word}"])
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=env, check=False,
                              stdin=subprocess.DEVNULL)
        sums = SUM.findall(done.stdout)
        if not sums:
            return None, None, done.stdout + done.stderr
        return int(sums[-1][0]), int(sums[-1][1]), done.stdout

    def without(self, word):
        """Tests that fail on the good sources catch nothing."""
        key = "" if self.full else word
        if key not in self.clean:
            passed, failed, said = self.check(word, None)
            self.clean[key] = None if passed and failed == 0 else (
                "does not build" if passed is None else f"{passed} passed, {failed} failed") + " without the fault:\n" + said[-2000:]
        return self.clean[key]

    def judge(self, row):
        """(caught, what to say)"""
        wrong = stale(row, self.root) or self.without(row["test"])
        if wrong:
            return False, wrong
        path = self.root / row["file"]
        text = path.read_text(encoding="utf-8")
        at = places(row, text)[0]
        path.write_text(text[:at.start()] + row["new"] + text[at.end():], encoding="utf-8")
        try:
            passed, failed, said = self.check(row["test"], SIM_SEEDS)
        finally:
            path.write_text(text, encoding="utf-8")
        if passed is None:
            return False, "DOES NOT BUILD:\n" + said[-2000:]
        if failed == 0:
            return False, f"SURVIVED {passed} tests of {'make check' if self.full else row['test']}: {row['does']}"
        if "# stopped after" in said:
            return False, "runs for ever: a fault that only a time limit catches is no good row"
        test = re.search(r"^FAIL (\S+)", said, re.M)
        first = re.search(r"^\s*not ok \d+ - (.*)", said, re.M)
        return True, f"by {re.sub(r'^.*?tests/', 'tests/', test[1])}: {first[1][:SAID_LIMIT] if first else 'it stopped itself'}"


def run_all(rows, build, work_dir, full):
    """Each row once, by as many workers as there are processors; the worker of a file keeps to it."""
    waiting, out, said = queue.Queue(), threading.Lock(), {}
    for row in sorted(rows, key=lambda r: (r["file"], r["test"])):
        waiting.put(row)

    def work(number):
        tree = Tree(work_dir / str(number), build, full)
        while True:
            try:
                row = waiting.get_nowait()
            except queue.Empty:
                break
            began = time.monotonic()
            try:
                caught, text = tree.judge(row)
            except Exception as error:  # a broken runner is a failed row, never a silent one
                caught, text = False, f"the runner itself failed: {error!r}"
            with out:
                said[row["name"]] = caught
                print(f"{'caught' if caught else 'FAIL  '} {row['name']} ({time.monotonic() - began:.1f} s) {text}", flush=True)
        shutil.rmtree(tree.root, ignore_errors=True)

    workers_n = max(1, min(len(rows), int(os.environ.get("T_JOBS", os.cpu_count() or 1))))
    workers = [threading.Thread(target=work, args=(n,)) for n in range(workers_n)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--table", type=Path, default=ROOT / "tests" / "mutation" / "mutants.txt")
    parser.add_argument("--work", type=Path)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    rows = table_read(asked.table)
    unknown = set(asked.names) - {row["name"] for row in rows}
    if unknown:
        raise SystemExit(f"no such rows: {' '.join(sorted(unknown))}")
    rows = [row for row in rows if not asked.names or row["name"] in asked.names]
    began = time.monotonic()
    if asked.check:
        wrong = {row["name"]: stale(row, ROOT) for row in rows}
        for name, text in wrong.items():
            if text:
                print(f"FAIL   {name} {text}")
        said = {name: text is None for name, text in wrong.items()}
    else:
        build = Path(os.environ.get("B", ROOT / "build" / "release")).resolve()
        said = run_all(rows, build, (asked.work or build / "mutants").resolve(), asked.full)
    passed = sum(said.values())
    failed = len(rows) - passed
    print(f"{len(rows)} faults in {len({r['file'] for r in rows})} files, {time.monotonic() - began:.0f} s")
    if os.environ.get("T_COUNTS"):
        with open(os.environ["T_COUNTS"], "a", encoding="ascii") as counts:
            counts.write(f"{passed} {failed} 0\n")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
