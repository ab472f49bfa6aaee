#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Corrections with other counts, made by `tallysim record --revision 2 --after`: they replace, never add; a
# correction whose prev is not what was sent is refused; the first revision sent again changes nothing.
. "$(dirname "$0")/lib.sh"

sim() { "$B/tallysim" "$@"; }
replay() { sim replay "$1" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --batch 32 --json; }
ctl() { "$B/tallyctl" "$@" --url "https://localhost:$daemon_api" --ca "$t_dir/keys/ca.crt" --client "$t_dir/keys/clients/auditor.pem"; }
published() { ctl status | grep -q " $1 entries accepted, $1 published"; }
# One number summed over every row of counts.csv, and over every contest that the daemon publishes.
in_counts() { awk -F, -v f="$1" '$3 == f {n += $5} END {print n}' "$t_dir/counts.csv"; }
in_results() {
    ctl results --json | /usr/bin/python3 -c 'import json, sys
print(sum((json.loads(line)["ballots"] or {}).get(sys.argv[1]) or 0 for line in sys.stdin))' "$1"
}

sim make --branches 100 --seed 5 "$t_dir" >/dev/null
sim enrol "$t_dir" >/dev/null
sim record "$t_dir" -o "$t_dir/1.ndjson" >/dev/null
pg_start --fsync
"$B/tallyctl" migrate --database "$pg_conn" >/dev/null
"$B/tallyctl" election open "$t_dir/definition" "$t_dir/registry" --root-key "$t_dir/keys/root.key" \
    --database "$pg_conn" >/dev/null
write_config "$t_dir" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf" || { ok 'the daemon starts' false; done_testing; }

like 'the first revision' "$(replay "$t_dir/1.ndjson")" '"created":100,"same":0'
wait_for 60 published 101
is 'ballots cast as reported' "$(in_results cast)" "$(in_counts cast)"

# Ten excluded ballots were found at every branch: counts change, prev is what was sent.
awk -F, -v OFS=, '$3 == "excluded" {$5 += 10} {print}' "$t_dir/counts.csv" >"$t_dir/new.csv"
mv "$t_dir/new.csv" "$t_dir/counts.csv"
sim record "$t_dir" -o "$t_dir/wrong.ndjson" --revision 2 >/dev/null
like 'prev of something that was not sent' "$(replay "$t_dir/wrong.ndjson" 2>/dev/null)" '"created":0,.*"conflict":100'
ok 'an --after of revision 2 is not revision 1' sh -c "! '$B/tallysim' record '$t_dir' -o '$t_dir/x.ndjson' --revision 2 --after '$t_dir/wrong.ndjson'"
sim record "$t_dir" -o "$t_dir/2.ndjson" --revision 2 --after "$t_dir/1.ndjson" >/dev/null
like 'the correction' "$(replay "$t_dir/2.ndjson")" '"created":100,"same":0,"held":0'
wait_for 60 published 201
is 'excluded ballots replaced' "$(in_results excluded)" "$(in_counts excluded)"
contest=$(ctl results --json | sed -n 's/.*"contest":"\([^"]*\)".*"method":"list_ir".*/\1/p' | head -1)
ctl results --contest "$contest" --areas >"$t_dir/areas.txt"
ctl results --contest "$contest" --areas --json >"$t_dir/areas.ndjson"
ok 'the contest area by area: tables and JSON have the same numbers' /usr/bin/python3 - "$t_dir/areas.txt" "$t_dir/areas.ndjson" <<'END'
import json, sys
head, ballots, votes = open(sys.argv[1], encoding="utf-8").read().split("\n\n")
areas = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
rows = [line.split()[:9] for line in ballots.splitlines()[2:]]
want = [[a["area"], a["level"], f'{a["progress"]["counted"]}/{a["progress"]["expected"]}',
         *(str(n) for n in (a["ballots"]["cast"], a["ballots"]["valid"], a["mixed"], a["ballots"]["blank"],
                            a["ballots"]["invalid"], a["ballots"]["excluded"]))] for a in areas]
assert rows == want and len(areas) > 1, (rows, want)
got = [line.split()[:4] for line in votes.splitlines()[2:]]
by_votes = lambda pairs: sorted(pairs, key=lambda pair: -pair[1])
want = [[a["area"], of, code, str(n)] for a in areas for of, pairs in (("list", a["lists"]), ("candidate", a["candidates"]))
        for code, n in by_votes(pairs)]
assert got == want and len(want) > 20, (got[:20], want[:20])
END
is 'areas of no contest' "$(ctl results --areas 2>&1 >"$t_dir/none"; echo $?)" "tallyctl results: --areas: of which --contest?
2"
is 'ballots cast not added' "$(in_results cast)" "$(in_counts cast)"
like 'the first revision again' "$(replay "$t_dir/1.ndjson")" '"created":0,"same":100'
like 'the correction again' "$(replay "$t_dir/2.ndjson")" '"created":0,"same":100'
is 'nothing has changed' "$(in_results excluded)" "$(in_counts excluded)"

stop_daemon
start_daemon "$t_dir/tallyd.conf" || ok 'the daemon starts again' false
is 'the same after a start from the ledger' "$(in_results excluded)" "$(in_counts excluded)"
stop_daemon
is 'clean stop' "$daemon_rc" 0
done_testing
