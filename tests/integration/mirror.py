# SPDX-License-Identifier: Apache-2.0
"""A witness's mirror before hostile servers (TAP): mirror.py DIR BIN

DIR/log is a whole published folder, which is copied here and changed.
"""
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[1] / "real"))
from logs import Log, Witness, b64, key_id, sha  # noqa: E402
from tap import Tap  # noqa: E402

PATIENCE_S = 60
SOON_S = 8  # far below what the servers would hold a mirror up for
HUGE, LONG = 1 << 40, 10_000_000
directory, build = Path(sys.argv[1]), Path(sys.argv[2])
PROGRAM = build / "tally-witness"
tap = Tap()
ok = tap.ok


class Server(ThreadingHTTPServer):
    """What is asked for is counted by the first part of its path."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hostile)
        self.asked = {}
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Hostile(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        log = self.path.split("/")[1]
        self.server.asked[log] = self.server.asked.get(log, 0) + 1
        if log == "silent":
            self.server.over.wait()
            return
        if log == "endless":
            time.sleep(0.02)
        self.send_response(200)
        self.send_header("Content-Length", "8192")
        try:
            self.end_headers()
            self.wfile.write(bytes(8192))
        except OSError:  # who asked was told to stop
            self.close_connection = True

    def log_message(self, *_):
        pass


def wait_for(condition, seconds=PATIENCE_S):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def head(log, size):
    """A first head of any size: nobody can prove anything against it."""
    body = f"{log.name}\n{size}\n{b64(sha(b'root'))}\n".encode()
    field = key_id(log.name, 1, bytes(log.key.verify_key)) + log.key.sign(body).signature
    return b"old 0\n\n" + body + f"\n\u2014 {log.name} {b64(field)}\n".encode()


def witness(name, *lines):
    """A witness that mirrors each "VKEY WHERE"."""
    folder = directory / name
    (folder / "state").mkdir(parents=True, exist_ok=True)
    subprocess.run([build / "tallyctl", "key", "new", folder / "witness.key"], check=True, stdout=subprocess.DEVNULL)
    (folder / "logs").write_text("".join(f"log {line}\n" for line in lines) + "quorum none\n")
    (folder / "conf").write_text(f"name = {name}.example/witness\nport = 0\nmirror = mirror\nmirror.interval = 100ms\n"
                                 "mirror.timeout = 600s\n")
    return Witness(PROGRAM, folder / "conf", directory / f"{name}.log")


def stops(w, name):
    began = time.monotonic()
    try:
        code = w.end(signal.SIGTERM)
    except subprocess.TimeoutExpired:
        w.process.kill()
        code = "does not"
    took = time.monotonic() - began
    ok(code == 0 and took < SOON_S, f"{name}: told to stop, it stops", (code, took))


def published():
    """The published folder's vkey and newest checkpoint."""
    vkey = (directory / "log/policy").read_text("utf-8").split()[1]
    return vkey, (directory / "log/checkpoint").read_bytes()


server = Server()
url = f"http://127.0.0.1:{server.server_address[1]}"
vkey, checkpoint = published()
good = b"old 0\n\n" + checkpoint
origin = vkey.split("+")[0].replace("/", "_")

# ---- a head without measure, a log without end, a server without a word: the good one is copied meanwhile ----
huge, endless, silent = (Log(f"{name}.example/log", name.encode(), 1) for name in ("huge", "endless", "silent"))
w = witness("board", f"{huge.vkey()} {url}/huge", f"{endless.vkey()} {url}/endless", f"{silent.vkey()} {url}/silent",
            f"{vkey} {directory}/log")
for log, size in ((huge, HUGE), (endless, LONG), (silent, LONG)):
    status, _, text = w.post(head(log, size))
    ok(status == 200, f"{log.name}: a first head of {size} entries is cosigned", (status, text))
ok(wait_for(lambda: server.asked.get("endless", 0) > 10 and "silent" in server.asked), "two of them are being read",
   server.asked)
ok(wait_for(lambda: w.said(r'mirror\.failed origin="huge\.example/log" error=ETOOBIG')), "the one without measure is refused",
   w.text()[-2000:])
ok("huge" not in server.asked, "and not a tile of it was fetched", server.asked)
status, _, text = w.post(good)
ok(status == 200, "the good log is cosigned", (status, text))
copy = directory / "board/mirror" / origin
ok(wait_for(lambda: (copy / "checkpoint").exists()), "and copied while the others are in the works", w.text()[-2000:])
before = server.asked["endless"]
ok(wait_for(lambda: server.asked["endless"] > before), "which goes on")
stops(w, "with both under way")

# ---- documents that are not those the log began with ----
evil = directory / "evil"
shutil.copytree(directory / "log", evil)
changed = evil / "doc/definition/areas.csv"
right = changed.read_bytes()
changed.write_bytes(right + b"x,ir,city,,\n")
copy = directory / "second/mirror" / origin
(copy / ".new/definition").mkdir(parents=True)
(copy / ".new/definition/.areas.csv.x7Gh2q").write_bytes(b"what a power cut left")
w = witness("second", f"{vkey} {evil}")
status, _, text = w.post(good)
ok(status == 200, "a log with another definition beside it is cosigned", (status, text))
ok(wait_for(lambda: w.said(r"mirror\.corrupt .*the definition is not the one")), "its mirror says what is wrong", w.text()[-2000:])
kept = [str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file() and "definition" in path.parts]
ok(not kept, "and keeps none of those files", kept)
ok(not (copy / "checkpoint").exists(), "nor a checkpoint over them")
changed.write_bytes(right)
ok(wait_for(lambda: (copy / "checkpoint").exists()), "with the right ones it is copied", w.text()[-2000:])
wrong = [path for path in (directory / "log/doc").rglob("*")
         if path.is_file() and (copy / path.relative_to(directory / "log")).read_bytes() != path.read_bytes()]
ok(not wrong, "every document as it is", wrong)
ok(not [path for path in copy.iterdir() if path.name.startswith(".")], "and nothing else is left", list(copy.iterdir()))
stops(w, "idle")
server.over.set()
tap.done()
