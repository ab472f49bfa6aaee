# SPDX-License-Identifier: Apache-2.0
"""Damaged archives through a verifier: each row of damages.py must have exactly its findings (TAP).

    run.py NIGHT SMALL RESULTS [-k WORD] [--every N] [--list] [--same COMMAND]... -- COMMAND...

NIGHT, SMALL, RESULTS: elections with log/, keys/, receipts/ (test_verify.sh makes them); COMMAND prints the report: `tally-verify`,
`node tally-verify.mjs`.  --every N: each N-th row, in short runs.  Each --same COMMAND (one word or in quotes) must print the same bytes with the same exit status.
"""
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import damages  # noqa: E402
from forge import Base, Forge  # noqa: E402

FAMILIES = {
    "authenticity": "package.files package.signature package.hash package.content log.key log.origin envelope.signature "
                    "envelope.type leaf.key bundle.cosigners decision.signers result.signers",
    "integrity": "policy.syntax checkpoint.syntax checkpoint.signature checkpoint.cosignature checkpoint.quorum file.missing "
                 "file.size file.syntax tile.hash checkpoint.root leaf.syntax envelope.missing envelope.unexpected envelope.hash "
                 "envelope.syntax payload.hash payload.syntax payload.leaf leaf.held",
    "consistency": "leaf.genesis genesis.package leaf.election leaf.time leaf.branch revision.twice revision.gap revision.prev "
                   "payload.twice conflict.first decision.state state.closed result.serial since.prefix since.syntax "
                   "since.signature",
    "completeness": "receipt.syntax receipt.signature receipt.proof receipt.prefix receipt.entry file.unknown",
    "evidence": "certificate.result result.numbers",
}
FAMILY = {check: family for family, checks in FAMILIES.items() for check in checks.split()}


class Case:
    """One row: its archive on the disk, and what it must find."""

    def __init__(self, row, bases, where):
        self.row, self.dir = row, where
        a = Forge(bases[row.base])
        wanted = row.make(a)
        self.wanted = wanted if isinstance(wanted, int) else sorted(set(wanted))
        where.mkdir()
        self.archive = where / "log"
        if a.raw is not None:
            self.archive.write_bytes(a.raw)
        else:
            for path, data in a.files.items():
                file = self.archive / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
        keys = bases[row.base].dir / "keys"
        self.args = [str(self.archive), "--json"]
        for key in a.root_keys:
            self.args += ["--root-key", str(keys / key)]
        if a.receipts is not None:
            (where / "receipts").mkdir()
            for name, data in a.receipts.items():
                (where / "receipts" / name).write_bytes(data)
            self.args += ["--receipts", str(where / "receipts")]
        for name, data in a.since.items():
            (where / name).write_bytes(data)
            self.args += ["--since", str(where / name)]
        if a.policy is not None:
            (where / "policy").write_bytes(a.policy)
            self.args += ["--policy", str(where / "policy")]
        self.args += a.args


def run(command, case):
    done = subprocess.run([*command, *case.args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def wrong(case, rc, out, err):
    """What is not as it must be, or ""."""
    if isinstance(case.wanted, int):
        return "" if (rc, out) == (case.wanted, b"") and len(err.splitlines()) >= 1 else f"exit {rc}, {out[:200]!r}, {err[:200]!r}"
    try:
        report = json.loads(out)
    except ValueError:
        return f"exit {rc}, no report: {out[:200]!r} {err[:300]!r}"
    found = [f"{f['check']} {f['at']}" for f in report["findings"]]
    families = {f["check"] for f in report["findings"] if FAMILY.get(f["check"]) != f["family"]}
    if families:
        return f"family of {families}"
    if sorted(found) != case.wanted:
        return f"too many: {sorted(set(found) - set(case.wanted))[:8]}  missing: {sorted(set(case.wanted) - set(found))[:8]}"
    if (rc, report["verdict"]) != ((1, "findings") if found else (0, "clean")):
        return f"exit {rc}, {report['verdict']}"
    return ""


def first_difference(a, b):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"byte {at}: {a[max(0, at - 60):at + 60]!r} and {b[max(0, at - 60):at + 60]!r}"


def check(case, command, others):
    rc, out, err = run(command, case)
    problems = [wrong(case, rc, out, err)]
    for other in others:
        rc2, out2, _ = run(other, case)
        if rc2 != rc:
            problems.append(f"{other[-1]}: exit {rc2}, not {rc}")
        elif out2 != out:
            problems.append(f"{other[-1]}: {first_difference(out, out2)}")
    shutil.rmtree(case.dir)
    return "; ".join(p for p in problems if p)


def main(argv):
    split = argv.index("--")
    options, command = argv[1:split], argv[split + 1:]
    words = [options[i + 1] for i, o in enumerate(options) if o == "-k"]
    others = [shlex.split(options[i + 1]) for i, o in enumerate(options) if o == "--same"]
    rows = [r for r in damages.ROWS if not words or any(w in r.name for w in words)]
    every = int(options[options.index("--every") + 1]) if "--every" in options else 1
    rows = rows[::every]
    if "--list" in options:
        print("\n".join(r.name for r in rows))
        return 0
    bases = {name: Base(options[i]) for i, name in enumerate(("night", "small", "results"))}
    bad = 0
    with tempfile.TemporaryDirectory(dir=Path(options[0]).parent) as where, ThreadPoolExecutor(2) as pool:
        def one(i):
            try:
                return check(Case(rows[i], bases, Path(where) / str(i)), command, others)
            except Exception as error:  # a fault of the table: told with its row
                return f"{type(error).__name__} {error}"
        for i, problem in enumerate(pool.map(one, range(len(rows)))):
            bad += bool(problem)
            print(f"{'not ok' if problem else 'ok'} {i + 1} - {rows[i].name}" + (f"\n# {problem}" if problem else ""), flush=True)
    print(f"1..{len(rows)}")
    never = set(FAMILY) - {w.split()[0] for r in damages.ROWS if r.wanted is not None for w in r.wanted}
    if not words and every == 1 and never:
        print(f"# no row has: {' '.join(sorted(never))}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
