# SPDX-License-Identifier: Apache-2.0
"""Every answer of tally-witness, after C2SP tlog-witness (TAP): witness_answers.py DIR BIN SHARED"""
import base64
import http.client
import re
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[1] / "real"))
from logs import Log, Witness, b64, cosigned_at, key_id, root, sha  # noqa: E402
from nacl.signing import SigningKey  # noqa: E402
from tap import Tap  # noqa: E402

directory, build, shared = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
PROGRAM = build / "tally-witness"
SIGSUM = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
TIMEOUT_S = 20
tap = Tap()
ok = tap.ok


def config(at, *lines, **changes):
    """A folder of settings for a witness; its state folder exists."""
    folder = directory / at
    (folder / "state").mkdir(parents=True)
    subprocess.run([build / "tallyctl", "key", "new", folder / "witness.key"], check=True, stdout=subprocess.DEVNULL)
    settings = {"name": f"{at}.example/witness", "port": "0", **changes}
    (folder / "logs").write_text("".join(f"log {line}\n" for line in lines) + "quorum none\n")
    (folder / "conf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    return folder / "conf"


def check(folder):
    """What --check-config says: its exit and its words."""
    done = subprocess.run([PROGRAM, "--config", folder / "conf", "--check-config"], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


log = Log("tally.example/demo-2026/rehearsal", b"log", 300)
other = Log("tally.example/demo-2026/election", b"other", 20)
fork = Log(log.name, b"log", 300, twist=30)
stranger = Log("nobody.example/log", b"stranger", 5)
conf = config("board-1", log.vkey(), other.vkey())
state = conf.parent / "state"
w = Witness(PROGRAM, conf, directory / "board-1.log")

# ---- what is refused before anything is known ----
none = log.request(0, 1)
first_note = log.note(1)
malformed = {
    "nothing": b"", "no old": none[6:], "leading zeros": b"old 00" + none[5:], "a sign": b"old +0" + none[5:],
    "no blank line": b"old 0\n" + first_note, "no checkpoint": b"old 0\n\n", "CRLF": none.replace(b"\n", b"\r\n"),
    "hex proof": b"old 0\n" + sha(b"").hex().encode() + b"\n\n" + first_note,
    "64 proof lines": b"old 0\n" + (b64(sha(b"")) + "\n").encode() * 64 + b"\n" + first_note,
    "not signed at all": b"old 0\n\n" + log.body(1),
    "size with zeros": log.request(0, 1, note=first_note.replace(b"\n1\n", b"\n01\n")),
}
for name, request in malformed.items():
    status, _, text = w.post(request)
    ok(status == 400, f"400: {name}", (status, text))
unsigned = {"an empty signature line": b"old 0\n\n" + log.body(1) + b"\n\n", "cut": none[:-1], "rubbish behind": none + b"x",
            "padding missing": b"old 0\n\n" + first_note[:-2] + b"\n"}
for name, request in unsigned.items():
    status, _, text = w.post(request)
    ok(status == 403, f"403: signature lines, {name}", (status, text))
status, _, text = w.post(stranger.request(0, 5))
ok(status == 404, "404: a log that it does not know", (status, text))
status, _, text = w.post(log.request(0, 1, note=log.note(1, SigningKey(sha(b"thief")))))
ok(status == 403, "403: a wrong signature", (status, text))
field = key_id(log.name, 1, b"x" * 32) + SigningKey(sha(b"x")).sign(log.body(1)).signature
status, _, text = w.post(log.request(0, 1, note=log.body(1) + f"\n\u2014 {log.name} {b64(field)}\n".encode()))
ok(status == 403, "403: signed by another key alone", (status, text))
status, _, text = w.post(log.request(0, 1, note=first_note.replace(b"\n1\n", b"\n2\n")))
ok(status == 403, "403: another size than was signed", (status, text))
status, _, text = w.post(log.request(0, 1, said=2))
ok(status == 400, "400: old over size", (status, text))
status, kind, text = w.post(log.request(1, 2))
ok((status, kind, text) == (409, "text/x.tlog.size", b"0\n"), "409: nothing is known yet", (status, kind, text))
status, _, text = w.post(log.request(0, 1, proof=[sha(b"")]))
ok(status == 422, "422: a proof from nothing", (status, text))
ok(w.post(none, "/")[0] == 404, "404: another path")
ok(w.post(none, "/add-checkpoint/")[0] == 404, "404: a path behind it")
ok(w.post(None, method="GET")[0] == 405, "405: another method")
ok(w.post(b"old 0\n\n" + b"x" * 20000)[0] == 413, "413: too long")
ok(not list(state.glob("*.head")), "nothing of it was kept as known")

# ---- growing ----
began = int(time.time())


def grow(witness, a_log, old, size, name):
    status, kind, text = witness.post(a_log.request(old, size))
    try:
        at = cosigned_at(witness.vkey, a_log.body(size), text)
    except (AssertionError, ValueError, IndexError) as error:
        ok(False, name, (status, text, error))
        return
    ok(status == 200 and kind.startswith("text/plain") and began <= at <= time.time() + 1, name, (status, at))


def stored(a_log):
    return (state / f"{sha(a_log.name.encode())[:8].hex()}.head").read_bytes()


grow(w, log, 0, 3, "200: the first head, with a line of the witness")
ok(stored(log).startswith(log.note(3)), "which is on the disk with the log's signature")
cosigned_at(w.vkey, log.body(3), stored(log)[len(log.note(3)):])
grow(w, log, 3, 4, "200: a leaf more")
grow(w, log, 4, 4, "200: the same again, with a new time")
grow(w, log, 4, 29, "200: many more")
grow(w, other, 0, 20, "200: the other log has its own state")
ours = bytes.fromhex(w.vkey.split("+")[1]) + bytes(72)
strange = f"\u2014 some.example {b64(b'12345')}\n\u2014 {w.vkey.split('+')[0]} {b64(ours)}\n".encode()
status, _, text = w.post(log.request(29, 40, note=log.note(40) + strange))
ok(status == 200, "200: lines of others are passed over, and one that claims to be ours", (status, text))
ok(stored(log) == log.note(40) + text, "of what stood behind the head only the log's line is kept, and ours")
status, kind, text = w.post(log.request(0, 50))
ok((status, kind, text) == (409, "text/x.tlog.size", b"40\n"), "409: from nothing again", (status, kind, text))
status, kind, text = w.post(log.request(29, 50))
ok((status, kind, text) == (409, "text/x.tlog.size", b"40\n"), "409: from an older head", (status, kind, text))
status, _, text = w.post(log.request(40, 39, proof=[]))
ok(status == 400, "400: backwards", (status, text))
proof = log.request(40, 50)
ok(w.post(log.request(40, 50, proof=[]))[0] == 422, "422: no proof")
bits = bytearray(base64.b64decode(proof.split(b"\n")[1]))
bits[31] ^= 1
ok(w.post(proof.replace(proof.split(b"\n")[1], base64.b64encode(bytes(bits)), 1))[0] == 422, "422: a bit of the proof")

# ---- a forked log: the same key, another past ----
before = stored(log)
status, kind, text = w.post(fork.request(40, 40))
ok((status, kind, text) == (409, "text/x.tlog.size", b"40\n"), "409: another root of the known size", (status, text))
status, _, text = w.post(fork.request(40, 60))
ok(status == 422, "422: another past, proven within itself", (status, text))
kept = [path.read_bytes() for path in state.glob("evidence.*")]
ok(fork.note(40) in kept and fork.note(60) in kept, "both are kept as evidence against the log")
ok("<3>witness.fork " in w.text() and
   "<3>witness.unproven " in w.text(), "and both are alarms in its log")
statuses = {w.post(log.request(40, size, proof=[sha(b"junk")]))[0] for size in range(41, 111)}
ok(statuses == {422}, "422: good heads with wrong proofs, which anybody can bring", statuses)
late = Log(log.name, b"log", 300, twist=20)
ok(w.post(late.request(40, 40))[0] == 409 and late.note(40) in [path.read_bytes() for path in state.glob("evidence.*")],
   "however many there were, a fork is still kept as evidence")
ok(stored(log) == before, "what it knows is unchanged")

# ---- the state survives, and is not guessed ----
w.end(signal.SIGKILL)
w = Witness(PROGRAM, conf, directory / "board-1.log")
ok(w.post(fork.request(40, 40))[0] == 409, "after kill -9: the fork is still refused")
grow(w, log, 40, 50, "after kill -9: the log goes on where it was")
code, words = check(conf.parent)
ok(code == 1 and "another process has it" in words, "a second process does not get the state", words)
ok(w.end(signal.SIGTERM) == 0, "a clean stop")
head = next(state.glob(f"{sha(log.name.encode())[:8].hex()}.head"))
whole = head.read_bytes()
for name, changed in (("empty", b""), ("cut", whole[:-1]), ("of another size", whole.replace(b"\n50\n", b"\n49\n")),
                      ("of another log", stored(other)), ("without our line", log.note(50)), ("long", whole * 40)):
    head.write_bytes(changed)
    code, words = check(conf.parent)
    ok(code == 1 and str(head) in words, f"a state that is {name} is refused, and named", (code, words))
head.write_bytes(whole)
ok(check(conf.parent)[0] == 0, "the whole one is fine")
state.rename(conf.parent / "lost")
code, words = check(conf.parent)
ok(code == 1 and "make the folder once" in words, "a state folder that is not there is not begun from zero", words)
(conf.parent / "lost").rename(state)

# ---- kill -9 in the middle, again and again: no two heads of one size, nothing that was answered is forgotten ----
w = Witness(PROGRAM, conf, directory / "board-1.log")
answered = [50]


def drive(witness, a_log):
    size = answered[-1]
    while size < 295:
        try:
            status, _, text = witness.post(a_log.request(size, size + 1))
        except OSError:
            return
        except Exception:  # noqa: BLE001  an answer that was cut
            return
        if status == 409:
            size = int(text)
            continue
        if status != 200:
            return
        size += 1
        answered.append(size)


lost = 0
for turn in range(8):
    aim = answered[-1] + 5 + turn
    thread = threading.Thread(target=drive, args=(w, log))
    thread.start()
    while answered[-1] < aim and thread.is_alive():
        time.sleep(0.001)
    w.end(signal.SIGKILL)
    thread.join()
    w = Witness(PROGRAM, conf, directory / "board-1.log")
    status, kind, text = w.post(log.request(0, 299))
    known = int(text)
    lost += not (status == 409 and answered[-1] <= known <= answered[-1] + 1)
    answered.append(known)
ok(lost == 0 and answered[-1] > 90, "kill -9 while it cosigns: it knows what it answered, at most one more", answered)
ok(w.post(fork.request(answered[-1], answered[-1]))[0] == 409, "and refuses the fork")

# ---- of many at once, one line of heads ----
size = answered[-1]
results = []


def race(i):
    results.append((i, w.post(log.request(size, size + 1 + i))[0]))


threads = [threading.Thread(target=race, args=(i,)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
won = [i for i, status in results if status == 200]
ok(len(won) == 1 and all(status in (200, 409) for _, status in results), "eight at once from one head: one wins", results)
ok(stored(log).startswith(log.note(size + 1 + won[0])) if won else False, "and is what it knows")
ok(w.end(signal.SIGTERM) == 0, "a clean stop")

# ---- who only stands there ----
FULL = 16  # the least that connections_max may be


def stand(n, source="127.0.0.1"):
    """Connections that say nothing; those that were not ended at once."""
    return [socket.create_connection(("127.0.0.1", w.port), TIMEOUT_S, (source, 0)) for _ in range(n)]


def ended(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def answered(source):
    """Is a courier at that address answered?"""
    connection = http.client.HTTPConnection("127.0.0.1", w.port, timeout=TIMEOUT_S, source_address=(source, 0))
    try:
        connection.request("POST", "/add-checkpoint", log.request(0, 1))
        return connection.getresponse().status in (200, 409)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def ends_soon(connections, seconds):
    """All of them end, and not before."""
    began = time.monotonic()
    all_ended = all(ended(one) for one in connections)
    return all_ended and 0.5 < time.monotonic() - began < seconds


w = Witness(PROGRAM, config("crowd", log.vkey(), connections_max=str(FULL), workers="1", per_ip_max="8"), directory / "crowd.log")
crowd = stand(3 * FULL)
ok(answered("127.0.0.2"), "one address does not fill the port: another one is answered")
for one in crowd:
    one.close()
ok(w.end(signal.SIGTERM) == 0, "a clean stop")
w = Witness(PROGRAM, config("idle", log.vkey(), per_ip_max="0", idle_timeout="1s"), directory / "idle.log")
silent = stand(4)
ok(ends_soon(silent, TIMEOUT_S), "who says nothing for idle_timeout is ended")
ok(answered("127.0.0.1"), "and who does is answered")
ok(w.end(signal.SIGTERM) == 0, "a clean stop")
said = subprocess.run([PROGRAM, "--config", conf, "--print-config"], capture_output=True, text=True, check=True).stdout
ok(re.search(r"^per_ip_max = ([1-9]|[1-9]\d)$", said, re.M) and re.search(r"^idle_timeout = 30(s|000ms)$", said, re.M),
   "both have a measure unless told", said)

# ---- requests of another implementation ----
archive = shared / "vectors/witness-requests.tar.xz"
if archive.exists():
    with tarfile.open(archive) as tar:
        text = tar.extractfile("witness-requests/litewitness.txt").read().decode()
    public = bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
    vkey = "+".join((SIGSUM, key_id(SIGSUM, 1, public).hex(), b64(b"\1" + public)))
    w = Witness(PROGRAM, config("lite", vkey, prefix="/w1"), directory / "lite.log")
    for n, (body, want) in enumerate(re.findall(r"```\n(old .*?)```\nHTTP (\d+)", text, re.S)):
        status, kind, said = w.post(body.encode(), "/w1/add-checkpoint")
        # That version answers 403 for a log it does not know; the specification says 404.
        want = 404 if SIGSUM not in body else int(want)
        ok(status == want, f"litewitness's request {n + 1}: {want}", (status, said))
    ok(w.end(signal.SIGTERM) == 0, "a clean stop")
else:
    tap.skip("litewitness's requests", "vectors are not there")

# ---- settings ----
for name, words, changes in (("no-log", "names no log", {}), ("name", "no witness's name", {"name": "a b"}),
                             ("prefix", "neither empty nor like", {"prefix": "x/"}),
                             ("clients", "only shown by TLS", {"clients": "00" * 32})):
    folder = config(name, *([] if name == "no-log" else [log.vkey()]), **changes).parent
    code, said = check(folder)
    ok(code == 1 and words in said, f"settings: {name} is refused", (code, said))
folder = config("open-key", log.vkey()).parent
(folder / "witness.key").chmod(0o644)
code, said = check(folder)
ok(code == 1 and "chmod 600" in said, "settings: a key that others can read is refused", (code, said))
folder = config("twice", log.vkey(), Log(log.name, b"second", 1).vkey()).parent
code, said = check(folder)
ok(code == 1 and "stands twice" in said, "settings: two keys of one origin are refused", (code, said))
vkey = subprocess.run([PROGRAM, "--config", conf, "--print-vkey"], capture_output=True, text=True, check=True).stdout
ok(re.fullmatch(r"board-1\.example/witness\+[0-9a-f]{8}\+B[A-Za-z0-9+/]{43}\n", vkey), "its vkey is printed", vkey)
tap.done()
