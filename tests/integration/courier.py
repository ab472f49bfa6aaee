# SPDX-License-Identifier: Apache-2.0
"""tally-courier between a published folder and two tally-witness (TAP): courier.py DIR BIN"""
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from nacl.signing import SigningKey

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[1] / "real"))
from logs import DEADLINE_S, Log, Witness, b64, cosigned_at, key_id, publish, sha  # noqa: E402
from tap import Tap  # noqa: E402

directory, build = Path(sys.argv[1]), Path(sys.argv[2])
tap = Tap()
ok = tap.ok
log = Log("tally.example/demo-2026/rehearsal", b"log", 700)
fork = Log(log.name, b"log", 700, twist=200)
folder = directory / "publish"


def witness(name):
    at = directory / name
    if not at.exists():
        (at / "state").mkdir(parents=True)
        subprocess.run([build / "tallyctl", "key", "new", at / "witness.key"], check=True, stdout=subprocess.DEVNULL)
        (at / "logs").write_text(f"log {log.vkey()}\nquorum none\n")
        (at / "conf").write_text(f"name = {name}.example/witness\nport = 0\nprefix = /{name}\n")
    return Witness(build / "tally-witness", at / "conf", directory / f"{name}.log")


def settings(*witnesses, name="courier", **changes):
    lines = {"log": folder, "policy": f"{name}.policy", "cosignatures": "cosignatures", "interval": "50ms",
             "backoff": "200ms", **changes}
    (directory / f"{name}.policy").write_text(f"log {log.vkey()}\n" + "".join(
        f"witness {w} {vkey} {url}\n" for w, vkey, url in witnesses) + "quorum none\n")
    (directory / f"{name}.conf").write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))
    return directory / f"{name}.conf"


def once(conf):
    done = subprocess.run([build / "tally-courier", "--config", conf, "--once"], capture_output=True, text=True,
                          timeout=DEADLINE_S)
    return done.returncode, done.stderr


def brought(name, vkey, size, a_log=log):
    """Is that what lies in the witness's file: the body and a good line of it?"""
    try:
        body, _, line = (directory / "cosignatures" / name).read_bytes().partition(b"\n\n")
        return body + b"\n" == a_log.body(size) and cosigned_at(vkey, a_log.body(size), line) > 0
    except (OSError, AssertionError):
        return False


def until(condition):
    end = time.monotonic() + DEADLINE_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


a, b = witness("a"), witness("b")
both = [("a", a.vkey, f"http://127.0.0.1:{a.port}/a"), ("b", b.vkey, f"http://127.0.0.1:{b.port}/b/")]
publish(log, folder, 3)
conf = settings(*both)
code, said = once(conf)
ok(code == 0, "one visit", said)
ok(brought("a", a.vkey, 3) and brought("b", b.vkey, 3), "both cosigned, and their lines verify")
for size in (255, 256, 257, 600):
    publish(log, folder, size)
    code, said = once(conf)
    ok(code == 0 and brought("a", a.vkey, size) and brought("b", b.vkey, size), f"grown to {size}", said)

# ---- sizes that the courier does not know, or knows wrongly ----
publish(log, folder, 610)
(directory / "cosignatures/a").unlink()
code, said = once(conf)
ok(code == 0 and brought("a", a.vkey, 610), "without its record the size is learned from the answer (409)", said)
(directory / "cosignatures/a").write_bytes(b"rubbish")
publish(log, folder, 620)
code, said = once(conf)
ok(code == 0 and brought("a", a.vkey, 620), "a record that cannot be read is passed over", said)

# ---- one witness away ----
b.end(signal.SIGKILL)
publish(log, folder, 630)
code, said = once(conf)
ok(code == 1 and brought("a", a.vkey, 630) and brought("b", b.vkey, 620), "one away: the other cosigned, exit 1", said)
ok("courier.failed witness=b" in said and "courier.fork" not in said, "and that is told", said)

# ---- as a service ----
process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", build / "tally-courier", "--config", conf],
                           stderr=open(directory / "service.log", "wb"))
publish(log, folder, 640)
ok(until(lambda: brought("a", a.vkey, 640)), "running: the one that is there cosigns")
b = Witness(build / "tally-witness", directory / "b" / "conf", directory / "b.log")
both[1] = ("b", b.vkey, f"http://127.0.0.1:{b.port}/b")
process.send_signal(signal.SIGTERM)
ok(process.wait(DEADLINE_S) == 0, "a clean stop")
conf = settings(*both, refresh="1s")
process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", build / "tally-courier", "--config", conf],
                           stderr=open(directory / "service.log", "wb"))
ok(until(lambda: brought("b", b.vkey, 640)), "it is back: it cosigns what it missed")
first = (directory / "cosignatures/a").read_bytes()
ok(until(lambda: (directory / "cosignatures/a").read_bytes() != first) and brought("a", a.vkey, 640),
   "nothing new: the line is renewed, so that its age says that the witness is there")
for size in range(641, 660):
    publish(log, folder, size)
ok(until(lambda: brought("a", a.vkey, 659) and brought("b", b.vkey, 659)), "many heads: the newest is cosigned")
said = (directory / "service.log").read_text()
ok("courier.ready" in said and "<3>" not in said and "<4>" not in said, "no warning in between", said)

# ---- what must not pass ----
kept = (directory / "cosignatures/a").read_bytes()
publish(fork, folder, 670)
ok(until(lambda: "courier.log error=ECORRUPT" in (directory / "service.log").read_text()),
   "a fork is seen by the courier itself, which has the tree")
process.send_signal(signal.SIGTERM)
ok(process.wait(DEADLINE_S) == 0, "a clean stop")
code, said = once(conf)
ok(code == 1 and said.count("<3>courier.fork") == 2, "one that knows nothing brings it: both witnesses refuse", said)
ok(brought("a", a.vkey, 659) and brought("b", b.vkey, 659), "nothing was laid down of it")
publish(log, folder, 650)
code, said = once(conf)
ok(code == 1 and "set back" in said and brought("a", a.vkey, 659), "what is published is behind: told, nothing laid down", said)
publish(log, folder, 680)
tile = folder / "tile/0/002.p/168"
tile.write_bytes(bytes(len(tile.read_bytes())))
code, said = once(conf)
ok(code == 1 and "do not give the root" in said, "tiles that are not the checkpoint's", said)
tile.unlink()
code, said = once(conf)
ok(code == 1 and "tile/0/002" in said, "a tile that is not there", said)
publish(log, folder, 680)
(folder / "checkpoint").write_bytes(log.note(680).replace(b"\n680\n", b"\n681\n"))
code, said = once(conf)
ok(code == 1 and "does not verify" in said, "a checkpoint that is not signed so", said)
publish(log, folder, 680)
swapped = settings(("a", b.vkey, both[0][2]), name="swapped")
code, said = once(swapped)
ok(code == 1 and "not cosigned by b.example/witness" in said and not brought("a", b.vkey, 680),
   "a witness that answers with another key", said)
code, said = once(settings(("a", a.vkey, f"http://127.0.0.1:{a.port}/elsewhere"), name="elsewhere"))
ok(code == 1 and "another path" in said, "another path at the witness", said)
code, said = once(conf)
ok(code == 0 and brought("a", a.vkey, 680) and brought("b", b.vkey, 680), "and all is well again", said)

# ---- settings ----
for name, words, entry in (("slash", "must do for a file", ("a/b", a.vkey, both[0][2])),
                           ("url", "is not http", ("a", a.vkey, "ftp://x")),
                           ("https", "set witness.ca", ("a", a.vkey, "https://localhost:1"))):
    code, said = once(settings(entry, name=name))
    ok(code == 1 and words in said, f"settings: {name}", said)
(directory / "none.policy").write_text("quorum none\n")
os.rename(directory / "none.policy", directory / "url.policy")
code, said = once(directory / "url.conf")
ok(code == 1 and "names 0 logs" in said, "settings: no log", said)
ok(a.end(signal.SIGTERM) == 0 and b.end(signal.SIGTERM) == 0, "clean stops")

# ---- witnesses whose clocks are wrong ----
key = SigningKey(sha(b"clock"))
public = bytes(key.verify_key)
name = "clock.example/witness"
vkey = "+".join((name, key_id(name, 4, public).hex(), b64(b"\4" + public)))
asked = {"/fast": 0, "/slow": 0}


class Clock(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):  # noqa: N802
        path = self.path.removesuffix("/add-checkpoint")
        asked[path] += 1
        request = self.rfile.read(int(self.headers["Content-Length"]))
        body = request.split(b"\n\n")[1] + b"\n"
        at = int(time.time()) + 300 if path == "/fast" else 1
        signature = key.sign(b"cosignature/v1\ntime %d\n" % at + body).signature
        field = key_id(name, 4, public) + at.to_bytes(8, "big") + signature
        line = f"\u2014 {name} {b64(field)}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(line)))
        self.end_headers()
        self.wfile.write(line)


server = ThreadingHTTPServer(("127.0.0.1", 0), Clock)
threading.Thread(target=server.serve_forever, daemon=True).start()
for path in asked:
    conf = settings(("clock", vkey, f"http://127.0.0.1:{server.server_port}{path}"), name=f"clock{path[1:]}",
                    refresh="1h")
    (directory / "cosignatures/clock").unlink(missing_ok=True)
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", build / "tally-courier", "--config", conf],
                               stderr=open(directory / "clock.log", "ab"))
    sizes = range(681, 690)
    for size in sizes:
        publish(log, folder, size)
        ok(until(lambda: brought("clock", vkey, size)), f"{path}: {size} is brought")
    process.send_signal(signal.SIGTERM)
    ok(process.wait(DEADLINE_S) == 0 and asked[path] <= len(sizes) + 1, f"{path}: and each once, however wrong the clock is",
       asked)
    publish(log, folder, 680)
server.shutdown()
tap.done()
