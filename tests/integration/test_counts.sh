#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Faults of counts.csv: each is told by line, column and the field's name, all of them at once, and nothing is
# recorded then.
set -eu
. "$(dirname "$0")/lib.sh"
sim=$B/tallysim e=$t_dir/e
"$sim" make --branches 300 --seed 7 "$e" >/dev/null 2>&1
"$sim" enrol "$e" >/dev/null 2>&1
cp "$e/counts.csv" "$t_dir/good.csv"
columns() { head -1 "$t_dir/good.csv"; }
# The first row of a kind: LINE and its text, of contests whose method has lists (tehran) or has none.
with_lists=$(awk -F, '$3 == "list" {print $2; exit}' "$t_dir/good.csv")
block_line=$(awk -F, -v l="$with_lists" 'NR > 1 && $2 != l && $3 == "candidate" {print NR; exit}' "$t_dir/good.csv")
list_line=$(awk -F, '$3 == "list" {print NR; exit}' "$t_dir/good.csv")
number_line=$(awk -F, '$3 == "cast" {print NR; exit}' "$t_dir/good.csv")
like 'an election with both kinds of contests' "$with_lists $block_line $list_line $number_line" '^[^ ]+ [0-9]+ [0-9]+ [0-9]+$'

# refused NAME LINE COLUMN REGEX: what stands in counts.csv now.
refused() {
    local rc=0 said
    rm -f "$t_dir/out.ndjson"
    said=$("$sim" record "$e" -o "$t_dir/out.ndjson" 2>&1) || rc=$?
    said=${said//"$t_dir"/}
    like "$1: said where and what" "$rc $said" "^2 "
    like "$1" "$said" "counts\.csv:$2:$3: $4"
    is "$1: nothing recorded" "$(test -e "$t_dir/out.ndjson" && wc -c <"$t_dir/out.ndjson" || echo none)" none
}
# field LINE COLUMN VALUE: one field of the good file is another.
field() {
    awk -F, -v OFS=, -v line="$1" -v column="$2" -v value="$3" 'NR == line {$column = value} {print}' "$t_dir/good.csv" >"$e/counts.csv"
}
# at LINE N: where in that line, in bytes, the N-th field begins.
at() { if [ "$2" -eq 1 ]; then echo 1; else echo $(($(sed -n "$1p" "$e/counts.csv" | cut -d, -f1-$(($2 - 1)) | wc -c) + 1)); fi; }
bad() { # NAME LINE FIELD VALUE REGEX
    field "$2" "$3" "$4"
    refused "$1" "$2" "$(at "$2" "$3")" "$5"
}
bad 'no such branch' "$block_line" 1 b-none 'branch "b-none" is no branch of branches.csv'
bad 'no such contest' "$block_line" 2 c-none 'contest "c-none" is no contest of contests.csv'
bad 'a contest of other branches' "$block_line" 2 "$with_lists" 'contest branch [^ ]+ does not report'
bad 'no such field' "$block_line" 3 candidat 'field "candidat" is no field of a bundle'
bad 'no such candidate' "$block_line" 4 nobody 'code "nobody" is no candidate of contest'
bad 'no candidate named' "$block_line" 4 '' 'code "" is no candidate of contest'
bad 'no such list' "$list_line" 4 nolist 'code "nolist" is no list of contest'
bad 'a list where there are none' "$block_line" 3 list 'field "list" in contest "[^"]+", whose method has no lists'
bad 'a number with a code' "$number_line" 4 p1 'code "p1" must be empty: cast is of the whole contest'
bad 'a negative number' "$number_line" 5 -1 'value "-1" is no whole number'
bad 'a fraction' "$number_line" 5 1.5 'value "1.5" is no whole number'
bad 'a number past 32 bits' "$number_line" 5 4294967296 'value "4294967296" is no whole number'
bad 'a number near 2^63' "$number_line" 5 9223372036854775807 'value "9223372036854775807" is no whole number'
bad 'a number past 64 bits' "$number_line" 5 18446744073709551616 'value "18446744073709551616" is no whole number'
bad 'no number' "$number_line" 5 '' 'value "" is no whole number'
field "$number_line" 5 4294967295
ok 'the largest that may stand' "$sim" record "$e" -o "$t_dir/large.ndjson"

for line in "$number_line" "$block_line" "$list_line"; do
    { cat "$t_dir/good.csv"; sed -n "${line}p" "$t_dir/good.csv"; } >"$e/counts.csv"
    refused "a row twice: $(sed -n "${line}p" "$t_dir/good.csv" | cut -d, -f3)" "$(wc -l <"$e/counts.csv")" 1 "what this row counts stands in line $line already"
done
{ cat "$t_dir/good.csv"; sed -n "${number_line}p" "$t_dir/good.csv" | awk -F, -v OFS=, '{$5 += 1; print}'; } >"$e/counts.csv"
refused 'another number for the same' "$(wc -l <"$e/counts.csv")" 1 "what this row counts stands in line $number_line already"
{ cat "$t_dir/good.csv"; sed -n "${number_line}p" "$t_dir/good.csv" | awk -F, -v OFS=, '{print $1, $2, "not_held", "no paper", ""}'; } >"$e/counts.csv"
refused 'not held, and counted' "$(wc -l <"$e/counts.csv")" 1 'numbers and not_held \(line [0-9]+\) of one contest'
pair=$(sed -n "${number_line}p" "$t_dir/good.csv" | cut -d, -f1,2)
for reason in '' "$(printf '%257s' x)" 'a\b'; do
    { grep -v "^$pair," "$t_dir/good.csv"; printf '%s,not_held,%s,\n' "$pair" "$reason"; } >"$e/counts.csv"
    refused "a reason of ${#reason} bytes that cannot stand" "$(wc -l <"$e/counts.csv")" '[0-9]+' 'code the reason must have 1 to 256 bytes'
done
{ grep -v "^$pair," "$t_dir/good.csv"; printf '%s,not_held,نبود برگه,\n' "$pair"; } >"$e/counts.csv"
ok 'a reason that can' "$sim" record "$e" -o "$t_dir/not_held.ndjson"

: >"$e/counts.csv"
refused 'an empty file' '[0-9]+' '[0-9]+' '.*branch,contest,field,code,value'
columns >"$e/counts.csv"
rc=0
said=$("$sim" record "$e" -o "$t_dir/out.ndjson" 2>&1) || rc=$?
like 'a file of its header alone' "$rc $said" '^2 .*counts\.csv: there is no row'
rm "$e/counts.csv"
rc=0
said=$("$sim" record "$e" -o "$t_dir/out.ndjson" 2>&1) || rc=$?
like 'no file' "$rc $said" '^2 .*counts\.csv'
awk -F, -v OFS=, -v a="$number_line" -v b="$block_line" 'NR == a {$5 = "x"} NR == b {$4 = "y"} {print}' "$t_dir/good.csv" >"$e/counts.csv"
rc=0
said=$("$sim" record "$e" -o "$t_dir/out.ndjson" 2>&1) || rc=$?
is 'two faults are both told' "$(printf '%s\n' "$said" | grep -c 'counts\.csv:[0-9]')" 2
done_testing
