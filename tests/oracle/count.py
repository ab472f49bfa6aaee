# SPDX-License-Identifier: Apache-2.0
"""Counts an election again, sharing no code with tallyd: prints every contest's numbers as JSON lines.

    count.py DIR --recording FILE               bundles as terminals sent them
    count.py DIR --api URL --keys DIR           the envelopes that a running daemon has in its ledger

DIR holds definition/ and registry/.
"""
import argparse
import json

import definition
import ledger


def plain(contest):
    """JSON knows no sets and no keys but text."""
    keep = ("seats", "pool", "winners", "ties", "vacancies", "differs")
    contest["readings"] = [{"parameters": dict(key), **{k: r[k] for k in keep}} for key, r in contest["readings"].items()]
    return contest


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("directory")
    args.add_argument("--recording")
    args.add_argument("--api")
    args.add_argument("--keys")
    a = args.parse_args()
    d = definition.read(a.directory)
    if a.recording:
        counted = ledger.from_recording(d, a.recording)
    elif a.api and a.keys:
        counted = ledger.from_api(d, ledger.Api(a.api, a.keys))
    else:
        args.error("--recording, or --api and --keys")
    for code in d.contests:
        print(json.dumps(plain(counted.tally.contest(code)), ensure_ascii=False))


if __name__ == "__main__":
    main()
