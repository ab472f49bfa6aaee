#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tally-verify on what a daemon published: a night with every kind of entry is clean and its numbers are the API's; small
# branches withheld; then hundreds of damaged copies, each with the findings that it must have (each fourth; TALLY_DAMAGES=1: all).
# Timeout: 900 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
. tests/integration/archive.sh

verify() { rc=0; "$B/tally-verify" "$@" >"$t_dir/report" 2>"$t_dir/why" || rc=$?; echo $rc; }
clean() { # DIR OPTION...
    is 'verified' "$(verify "$1/log" --root-key "$1/keys/root.key" --receipts "$1/receipts" --since "$1/since.note" --json)" 0
    like 'and clean' "$(cut -c1-70 "$t_dir/report")" '"verdict":"clean"'
    is 'nothing else is said' "$(cat "$t_dir/why")" ''
    ok 'its numbers are those of the API' same "$1"
}

mkdir "$t_dir/night" "$t_dir/results" "$t_dir/small"
make_night "$t_dir/night" 400 night
clean "$t_dir/night"
make_night "$t_dir/results" 120 results
clean "$t_dir/results"
make_night "$t_dir/small" 120 results 's/"publish_min_ballots":0/"publish_min_ballots":100/'
clean "$t_dir/small"
like 'some of them withheld' "$(cat "$t_dir/report")" '"withheld":[1-9][0-9]*,"receipts"'

# ---- damaged copies ----
damages 4 -- "$B/tally-verify"

root=$t_dir/night/keys/root.key
# ---- for people, and what it refuses ----
is 'a report for people' "$(verify "$t_dir/night/log" --root-key "$root")" 0
like 'says that it is clean, in both languages' "$(tail -2 "$t_dir/report" | tr '\n' ' ')" 'clean: nothing wrong was found. پاک'
like 'whose word the key is' "$(cat "$t_dir/report")" 'as the archive says; compare it with the one on paper'
rm "$t_dir/night/log/tile/0/000"
is 'a finding' "$(verify "$t_dir/night/log" --root-key "$root")" 1
like 'with its place and what to do' "$(tr '\n' ' ' <"$t_dir/report")" 'file.missing .integrity., 1 .* do: get the archive again.* tile/0/000'
is 'nothing at all' "$(verify)" 2
like 'says what is needed' "$(cat "$t_dir/why")" 'one archive, a folder or a TAR, must be given; --help tells more'
is 'no root key' "$(verify "$t_dir/night/log")" 2
like 'says so' "$(cat "$t_dir/why")" '--root-key is needed'
is 'the folder above' "$(verify "$t_dir/night" --root-key "$root")" 2
like 'says what is missing and what to give' "$(cat "$t_dir/why")" 'has no file "checkpoint"; give the folder'
is 'what is not there' "$(verify "$t_dir/nowhere" --root-key "$root")" 2
like 'names it' "$(cat "$t_dir/why")" 'nowhere: No such file'
ln -s checkpoint "$t_dir/night/log/link"
is 'a link in the folder' "$(verify "$t_dir/night/log" --root-key "$root")" 2
like 'is named' "$(cat "$t_dir/why")" '/link is neither a file nor a folder'
is '--help' "$(verify --help)" 0
like 'knows the exit statuses' "$(cat "$t_dir/report")" '0 clean, 1 findings, 2 unusable'
is '--version' "$(verify --version)" 0
done_testing
