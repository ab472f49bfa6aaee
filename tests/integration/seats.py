# SPDX-License-Identifier: Apache-2.0
"""The seat calculator as a command: seats.py TALLYCTL (TAP).  The caller is test_seats.sh."""
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "real"))
from lk_2015 import DISTRICT_SEATS, NATIONAL_SEATS  # noqa: E402
from tap import Tap  # noqa: E402

SHARED = Path(os.environ.get("TALLY_SHARED", HERE.parent.parent.parent / "shared"))
LAW = HERE.parent / "vectors" / "seats" / "law.jsonl"
TALLYCTL = sys.argv[1]
SEED = 14050724
tap = Tap()


def lines_of(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def run(text, *options):
    done = subprocess.run([TALLYCTL, "seats", *options], input=text, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def ask(lines):
    """The answers to good lines, side by side with them."""
    code, out, err = run("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
    answers = [json.loads(line) for line in out.splitlines()]
    if code != 0 or len(answers) != len(lines):
        raise SystemExit(f"exit {code}, {len(answers)} answers to {len(lines)} lines: {err[:500]}\n{out[-500:]}")
    return answers


def certain(answer, keys):
    """Seats a key: of lists, or 1 for a winner."""
    return answer["seats"] if "seats" in answer else {k: int(k in answer["winners"]) for k in keys}


def judge(answer, official, seats):
    """"equal", "lot" (the certain seats are, and a lot chose among those named) or what is wrong."""
    got = certain(answer, official)
    tie = answer.get("ties")
    more = {k: official[k] - got[k] for k in official}
    if set(got) != set(official):
        return f"lists {sorted(got)}"
    if sum(official.values()) + answer["unfilled"] != seats:
        return f"{answer['unfilled']} unfilled"
    if tie is None:
        return "equal" if not any(more.values()) else f"seats {got}, official {official}"
    fits = all(n == 0 or n == 1 and k in tie["among"] for k, n in more.items())
    return "lot" if fits and sum(more.values()) == tie["at_stake"] else f"seats {got}, {tie}, official {official}"


# ---- the law's worked examples -----------------------------------------------------------------------


def same_entry(answer, want, line):
    seats = list(answer["seats"].values()) + ([answer["pool"]] if "pool" in line else [])
    tie = answer.get("ties")
    return seats == want["seats"] and (tie and (tie["at_stake"], tie["among"])) == (
        want.get("at_stake") and (want["at_stake"], want["among"]))


def test_law():
    for line in lines_of(LAW):
        if "candidates" in line:
            answer = ask([line])[0]
            tap.same({k: answer.get(k) for k in ("winners", "alternates", "ties")}, {"ties": None} | line["expected"],
                     f"({line['id']})")
            continue
        plain = ask([line])[0]
        lines = [line | {"parameters": want["parameters"]} for want in line["expected"]]
        for want, answer in zip(line["expected"], ask(lines), strict=True):
            said = " ".join(want["parameters"].values()) or "defaults"
            tap.ok(same_entry(answer, want, line), f"{line['id']} {said}", answer)
            tap.ok(answer["parameters"] == plain["parameters"] | want["parameters"], "its parameters are told")
            told = [r for r in plain["readings"] if r["parameters"] == answer["parameters"]]
            if told:
                tap.ok(same_entry(told[0], want, line), f"{line['id']} {said}: as another reading", told)
                differs = any(plain.get(k) != told[0].get(k) for k in ("seats", "pool", "ties", "unfilled"))
                tap.same(told[0]["differs"], differs, "and says whether somebody else is elected")


def test_readings():
    line = next(line for line in lines_of(LAW) if line["id"] == "E2")
    names = [r["name"] for r in ask([line])[0]["readings"]]
    alone = ["remainder=largest_remainder", "remainder=highest_average", "remainder_pool=lists_only",
             "over_rule=smallest_rounded_up_fraction", "over_rule=halt", "cursor=continue",
             "alternates_rule=same_list_next"]
    tap.same(names, ["A", "B", "C", "D"] + alone, "readings, without ballots: A to D and each parameter alone")
    names = [r["name"] for r in ask([line | {"valid_ballots": 1200}])[0]["readings"]]
    tap.same(names, ["A", "B", "C", "D", "E", "E floor"] + alone, "with ballots: E too")
    names = [r["name"] for r in ask([line | {"parameters": {"first_round": "floor", "cursor": "continue"}}])[0]["readings"]]
    tap.ok("cursor=restart" in names and "cursor=continue" not in names and "first_round=round_half_up" not in names,
           "of another set: what is in force is none, what is A stands there once", names)
    line = next(line for line in lines_of(LAW) if line["id"] == "E3")
    steps = ask([line | {"parameters": {"over_rule": "halt"}}])[0]["steps"]
    tap.same([step["step"] for step in steps[:7]], ["quota"] + ["rounded"] * 4 + ["halt", "tie"],
             "a rule that stops tells how far it came")
    other = ask([line | {"method": "dhondt"}])[0]
    tap.ok("readings" not in other, "other methods have one reading")


# ---- real elections ------------------------------------------------------------------------------------


def test_cases():
    folder = SHARED / "data" / "seat-cases"
    if not folder.is_dir():
        return tap.skip("seat cases", f"no {folder}")
    lines = lines_of(folder / "apportionment.jsonl") + lines_of(folder / "blockvote.jsonl")
    wrong, kinds = [], Counter()
    for line, answer in zip(lines, ask(lines), strict=True):
        official = line.get("expected") or {c["id"]: int(c["id"] in line["expected_winners"]) for c in line["candidates"]}
        verdict = judge(answer, official, line["seats"])
        tie, want = answer.get("ties"), line.get("ties")
        same_tie = (tie and (tie["at_stake"], set(tie["among"]))) == (want and (want["at_stake"], set(want["among"])))
        kinds[verdict] += 1
        if verdict not in ("equal", "lot") or not same_tie or answer["unfilled"] != line.get("unfilled", 0):
            wrong.append((line["id"], verdict, tie))
    print(f"# seat cases: {dict(kinds)}")
    tap.same((len(lines), wrong), (213, []), "all 213 seat cases equal, and draws where the files have them")
    tap.same(shuffled(lines), [], "lists and candidates in another order: the same answers")


def shuffled(lines):
    """Lines whose outcome depends on the order of lists or candidates."""
    rng = random.Random(SEED)
    print(f"# shuffled with seed {SEED}")
    turned = [{k: rng.sample(v, len(v)) if k in ("lists", "candidates") else v for k, v in line.items()}
              for line in lines]

    def bare(answer):
        tie = answer.get("ties")
        return (answer.get("seats"), answer.get("pool"), set(answer.get("winners", ())), answer["unfilled"],
                tie and (tie["at_stake"], set(tie["among"])))

    return [a["id"] for a, b in zip(ask(lines), ask(turned), strict=True) if bare(a) != bare(b)]


def convert(name, source):
    done = subprocess.run([sys.executable, "-B", HERE.parent / "real" / name, source], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_czech():
    source = SHARED / "data" / "cz-municipal-2006"
    if not source.is_dir():
        return tap.skip("Czech councils of 2006", f"no {source}")
    lines = convert("cz_2006.py", source)
    kinds, wrong = Counter(), []
    for line, answer in zip(lines, ask(lines), strict=True):
        verdict = judge(answer, line["official"], line["seats"])
        kinds[line["method"], verdict if verdict in ("equal", "lot") else "different"] += 1
        if verdict not in ("equal", "lot"):
            wrong.append((line["id"], line["name"], verdict))
    ids = {"-".join(line["id"].split("-")[:2]) for line in lines}
    unsure = sum(line["id"].endswith("-few") for line in lines)
    print(f"# Czech councils and wards of 2006: {len(ids)} in {len({i.split('-')[0] for i in ids})} councils; {dict(kinds)}; "
          f"{unsure} with an unsure number of persons, computed with the fewest and the most")
    tap.ok(len(ids) > 6400, "more than 6,400 councils and wards")
    tap.same(wrong, [], "their seats are the official ones, apart from lots among those named")
    return None


def test_lanka():
    source = SHARED / "data" / "lk-parliament-2015"
    if not source.is_dir():
        return tap.skip("Sri Lanka 2015", f"no {source}")
    lines = convert("lk_2015.py", source)
    answers = ask(lines)
    districts = [(line, answer) for line, answer in zip(lines, answers, strict=True) if "bonus" in line]
    sums = Counter()
    for line, answer in districts:
        sums.update(answer["seats"])
        sums[line["bonus"]] += 1
    tap.same((len(districts), +sums), (22, DISTRICT_SEATS), "22 districts add up to the published seats")
    tap.same(+Counter(answers[-1]["seats"]), NATIONAL_SEATS, "the national list")
    tap.same([a["id"] for a in answers if "ties" in a or a["unfilled"]], [], "no draw, no seat left")
    cases = {c["id"]: c["expected"] for c in lines_of(SHARED / "data" / "seat-cases" / "apportionment.jsonl")}
    tap.same([a["id"] for _, a in districts if a["seats"] != cases[a["id"]]], [], "each as in the seat cases")
    return None


# ---- lines that are refused ------------------------------------------------------------------------------

LIST = '{"id":"x","method":"dhondt","seats":3,"lists":[{"id":"a","votes":5},{"id":"b","votes":4,"candidates":2}]}'
BLOCK = '{"id":"x","seats":2,"alternates":1,"candidates":[{"id":"a","votes":5},{"id":"b","votes":4},{"id":"c","votes":3}]}'
IR = ('{"id":"x","method":"list_ir","seats":3,"lists":[{"id":"a","votes":5}],"pool":{"votes":2,"candidates":1},'
      '"parameters":{"base":"ballots_x_seats","threshold_bp":100},"valid_ballots":9}')
# line, what is changed in it, to what, the field that the answer names
BAD = [
    (LIST, '"id":"x",', "", "id"),
    (LIST, '"id":"x"', '"id":7', "id"),
    (LIST, '"dhondt"', '"d\'hondt"', "method"),
    (LIST, '"dhondt"', "1", "method"),
    (LIST, '"method":"dhondt",', "", "method"),
    (LIST, '"seats":3', '"seats":0', "seats"),
    (LIST, '"seats":3', '"seats":-1', "seats"),
    (LIST, '"seats":3', '"seats":10001', "seats"),
    (LIST, '"seats":3', '"seats":3.0', "seats"),
    (LIST, '"seats":3', '"seats":"3"', "seats"),
    (LIST, '"seats":3,', "", "seats"),
    (LIST, '"seats":3', '"seats":3,"threshold":0.05001', "threshold"),
    (LIST, '"seats":3', '"seats":3,"threshold":1.0001', "threshold"),
    (LIST, '"seats":3', '"seats":3,"threshold":-0.0001', "threshold"),
    (LIST, '"seats":3', '"seats":3,"threshold":"5 %"', "threshold"),
    (LIST, '"seats":3', '"seats":3,"threshold_rule":"scaled"', "threshold_rule"),
    (LIST, '"seats":3', '"seats":3,"equal_quotients_rule":true', "equal_quotients_rule"),
    (LIST, '"lists"', '"list"', "lists"),
    (LIST, '[{"id":"a","votes":5},{"id":"b","votes":4,"candidates":2}]', "[]", "lists"),
    (LIST, '[{"id":"a","votes":5},{"id":"b","votes":4,"candidates":2}]', "7", "lists"),
    (LIST, '{"id":"a","votes":5}', "5", "lists[0]"),
    (LIST, '"id":"b"', '"id":"a"', "lists[1].id"),
    (LIST, '"id":"b"', '"id":2', "lists[1].id"),
    (LIST, '"id":"b",', "", "lists[1].id"),
    (LIST, '"votes":4', '"votes":-4', "lists[1].votes"),
    (LIST, '"votes":4', '"votes":4.5', "lists[1].votes"),
    (LIST, '"votes":4', '"votes":"4"', "lists[1].votes"),
    (LIST, '"votes":4', '"votes":null', "lists[1].votes"),
    (LIST, '"votes":4', '"votes":9223372036854775803', "lists[1].votes"),  # with 5 one past 2^63 - 1
    (LIST, '"votes":4', '"votes":9223372036854775808', "lists[1].votes"),
    (LIST, '"votes":4', '"votes":99999999999999999999999', "lists[1].votes"),
    (LIST, '"candidates":2', '"candidates":-1', "lists[1].candidates"),
    (LIST, '"candidates":2', '"candidates":4294967296', "lists[1].candidates"),
    (LIST, '"candidates":2', '"candidates":18446744073709551616', "lists[1].candidates"),
    (BLOCK, '"alternates":1', '"alternates":10001', "alternates"),
    (BLOCK, '"alternates":1', '"alternates":"1"', "alternates"),
    (BLOCK, '"votes":4', '"votes":9223372036854775807', "candidates[1].votes"),  # with 5 past 2^63 - 1
    (BLOCK, '"alternates":1', '"alternates":-1', "alternates"),
    (BLOCK, '"id":"c"', '"id":"a"', "candidates[2].id"),
    (BLOCK, '"votes":3', '"votes":true', "candidates[2].votes"),
    (BLOCK, '"votes":3', '"votes":1e400', None),
    (BLOCK, '"votes":3', '"votes":3,"votes":4', None),  # a key twice
    (BLOCK, '"seats":2', '"seats":9223372036854775808', "seats"),
    (IR, '"ballots_x_seats"', '"ballots"', "parameters.base"),
    (IR, '"ballots_x_seats"', "1", "parameters.base"),
    (IR, '"threshold_bp":100', '"threshold_bp":10001', "parameters.threshold_bp"),
    (IR, '"threshold_bp":100', '"list_plus_individual":1', "parameters.list_plus_individual"),
    (IR, '"valid_ballots":9', '"valid":9', "valid_ballots"),
    (IR, '"valid_ballots":9', '"valid_ballots":-9', "valid_ballots"),
    (IR, '{"votes":2,"candidates":1}', "2", "pool"),
    (IR, '"votes":2', '"votes":-2', "pool.votes"),
    (IR, '"votes":2', '"votes":9223372036854775808', "pool.votes"),
    (IR, '"candidates":1', '"candidates":[]', "pool.candidates"),
]


def test_bad():
    text, fields = "", []
    for line, old, new, field in BAD:
        if line.count(old) != 1:
            raise SystemExit(f"{old} stands {line.count(old)} times in {line}")
        text += line + "\n" + line.replace(old, new) + "\n"
        fields.append((new or f"without {old}", field))
    code, out, _ = run(text.encode())
    answers = [json.loads(line) for line in out.splitlines()]
    tap.same((code, len(answers)), (1, 2 * len(BAD)), "a line for a line, and exit 1")
    tap.ok(all("error" not in a and "unfilled" in a for a in answers[::2]), "the good ones between are answered")
    for i, ((what, field), answer) in enumerate(zip(fields, answers[1::2], strict=True)):
        tap.ok(set(answer) <= {"id", "line", "field", "error"} and answer["line"] == 2 * i + 2 and
               answer.get("field") == field and answer["error"] and (field is None or field in answer["error"]),
               f"refused: {what}", answer)

    cut = [line.encode()[:n] for line in (LIST, BLOCK, IR) for n in range(1, len(line.encode()))]
    code, out, _ = run(b"\n".join(cut))
    tap.ok(code == 1 and [("error" in json.loads(a), json.loads(a)["line"]) for a in out.splitlines()] ==
           [(True, n) for n in range(1, len(cut) + 1)], "lines cut at every byte")
    for name, raw in {"not JSON": b"seats", "an array": b"[]", "two values": LIST.encode() + b"{}", "a NUL": b"{}\0",
                      "not UTF-8": LIST.encode().replace(b'"x"', b'"\xff"'),
                      "half a character": LIST.encode().replace(b'"x"', b'"\xd9"')}.items():
        code, out, _ = run(raw + b"\n" + LIST.encode())
        answers = [json.loads(line) for line in out.splitlines()]
        tap.ok(code == 1 and "error" in answers[0] and answers[1]["seats"] == {"a": 2, "b": 1}, f"refused: {name}", out)
    for name, got in {"nothing": run(b""), "empty lines": run(b"\n \n\t\n"), "no file": run(b"", "/nowhere/x.jsonl"),
                      "a folder": run(b"", "/"), "two files": run(b"", "-", "-")}.items():
        tap.ok(got[0] == 2 and got[1] == "" and got[2], f"exit 2, said on stderr: {name}", got)


# ---- what the format allows -------------------------------------------------------------------------------


def test_format():
    names = ["کاندیدا\u200cها", "ي ك ی ک ۱۲۳", "", "pool", '"\\/', "🗳", " "]
    line = {"id": "شهر\u200cها", "method": "list_ir", "seats": 9, "pool": {"votes": 5},
            "lists": [{"id": n, "votes": 10 + i} for i, n in enumerate(names)]}
    code, out, _ = run(json.dumps(line, ensure_ascii=False).encode())
    answer = json.loads(out)
    tap.ok(code == 0 and answer["id"] == line["id"] and list(answer["seats"]) == names and
           all(n in out for n in names[:2]), "ids are any strings, kept byte for byte", out)
    tap.same(set(answer) & {"pool", "unfilled", "steps", "readings", "seats", "id"},
             {"pool", "unfilled", "steps", "readings", "seats", "id"}, "what an answer holds")
    tap.ok(all(set(s) == {"step", "list", "a", "b", "text"} and set(s["text"]) == {"fa", "en"} for s in answer["steps"]),
           "steps as data and as sentences", answer["steps"])
    at, above = [ask([json.loads(LIST) | {"threshold": t}])[0]["seats"] for t in (0.4444, 0.4445)]
    tap.same((at, above), ({"a": 2, "b": 1}, {"a": 3, "b": 0}), "a threshold of four places: 4 of 9 is 0.4444 and not 0.4445")
    bars = [{"id": "x", "method": "hare_lr", "seats": 1, "threshold": (bp + more) / 10000,
             "lists": [{"id": "a", "votes": 10000 - bp}, {"id": "b", "votes": bp}]}
            for bp in range(1, 5000) for more in (0, 1)]
    below = [[step["list"] for step in answer["steps"] if step["step"] == "threshold"] for answer in ask(bars)]
    tap.same([i for i, names in enumerate(below) if names != ["b"] * (i % 2)], [],
             "a share of exactly the threshold stays, one of 0.0001 less does not: from 0.0001 to 0.5")
    equal = json.loads(LIST) | {"seats": 5, "lists": [{"id": "a", "votes": 8}, {"id": "b", "votes": 4}]}
    tied, free = ask([equal | {"seats": 2}, equal | {"seats": 2, "equal_quotients_rule": "whatever it says"}])
    tap.same((tied["seats"], tied["ties"], free["seats"]),
             ({"a": 1, "b": 0}, {"at_stake": 1, "among": ["a", "b"]}, {"a": 2, "b": 0}), "equal quotients: a lot, or more votes")
    spare, nulls = ask([json.loads(LIST) | {"unknown": [1], "candidates": 7, "seats": 9},
                        json.loads(LIST) | {"threshold": None, "threshold_rule": None, "equal_quotients_rule": None}])
    tap.same((spare["seats"], spare["unfilled"]), ({"a": 7, "b": 2}, 0), "unknown keys are ignored; others take what is left")
    tap.same(nulls["seats"], {"a": 2, "b": 1}, "null is absent")
    short = json.loads(LIST) | {"seats": 9, "lists": [{"id": "a", "votes": 5, "candidates": 1}, {"id": "b", "votes": 0}]}
    tap.same([(a["seats"], a["unfilled"]) for a in ask([short | {"method": m} for m in (
             "hare_lr", "droop_lr", "dhondt", "sainte_lague", "modified_sainte_lague", "list_ir")])],
             [({"a": 1, "b": 0}, 8)] * 6, "seats that nobody can take, under every method")
    block = ask([json.loads(BLOCK) | {"seats": 5, "alternates": 0}, json.loads(BLOCK) | {"method": "block"}])
    tap.same((block[0]["winners"], block[0]["unfilled"], block[1]["winners"], block[1]["alternates"]),
             (["a", "b", "c"], 2, ["a", "b"], ["c"]), "more seats than candidates; block by name")
    code, out, err = run(IR.replace('"base"', '"bsae"').encode())
    tap.ok(code == 0 and '"base":"votes"' in out and '"bsae"' in err, "a misspelt parameter is noted on stderr", err)


def test_pages():
    text = open(LAW, "rb").read()
    code, out, err = run(text, "--table")
    tap.ok(code == 0 and err == "" and "A: Exactly 8.40 seats, rounded to 8." in out and "SOMEBODY ELSE" in out and
           "To be drawn: 1 of p5, p6, p7" in out and "(independents)" in out, "--table: tables and sentences", out[:300])
    code, out, _ = run(text, "--table", "--fa")
    tap.ok(code == 0 and "A: دقیقاً ۸٫۴۰ کرسی که به ۸ گرد می‌شود." in out and "با قرعه: ۱ از p5، p6، p7" in out and
           "کسان دیگر" in out and "Steps" not in out, "--fa: in Persian", out[:300])
    code, out, err = run((BLOCK + "\nseats\n").encode(), "--table")
    tap.ok(code == 1 and "elected" in out and err.startswith("line 2: "), "--table: a bad line is told on stderr", err)
    with subprocess.Popen([TALLYCTL, "seats", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asked:
        answers = []
        for _ in range(2):
            asked.stdin.write(LIST.encode() + b"\n")
            asked.stdin.flush()
            answers.append(json.loads(asked.stdout.readline()))
        asked.stdin.close()
        tap.same((answers[0], asked.wait()), (answers[1], 0), "line by line: answered before the next is asked")


for test in (test_law, test_readings, test_cases, test_czech, test_lanka, test_bad, test_format, test_pages):
    test()
tap.done()
