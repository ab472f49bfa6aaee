# SPDX-License-Identifier: Apache-2.0
"""A signer under load, from outside: frames on its socket, a Merkle tree of our own.

    signer.py kills PROGRAM CONFIG.signer KILLS SEED   clients that grow and fork the log while it is killed -9 and
                                                       started again; every head that was ever answered is collected
    signer.py passed PROGRAM CONFIG.signer             it listens on the socket that systemd passes
    signer.py size CONFIG.signer                       prints the size of its last head
Exit 1 with what is wrong.
"""
import base64
import hashlib
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from nacl.signing import SigningKey

from client import seed_of

PATIENCE_S = 50


# ---- RFC 9162, 2.1 ---------------------------------------------------------------------------------------
def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(n):
    return 1 << ((n - 1).bit_length() - 1)


def root_of(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(root_of(leaves[:k]), root_of(leaves[k:]))


def consistency(old, leaves, whole=True):
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = split(len(leaves))
    if old <= k:
        return consistency(old, leaves[:k], whole) + [root_of(leaves[k:])]
    return consistency(old - k, leaves[k:], False) + [root_of(leaves[:k])]


# ---- the socket ------------------------------------------------------------------------------------------
class Peer:
    def __init__(self, path):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(PATIENCE_S)
            try:
                self.socket.connect(path)
                return
            except (FileNotFoundError, ConnectionRefusedError):  # not started again yet
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise ConnectionError("the signer is gone")
            data += more
        return data

    def ask(self, text):
        self.socket.sendall(struct.pack(">I", len(text)) + text)
        return self.read(struct.unpack(">I", self.read(4))[0]).decode().split("\n")

    def hello(self):
        kind, _, size, root, end = self.ask(b"hello\n")
        assert kind == "hello" and end == ""
        return int(size), base64.b64decode(root)


def body_of(origin, size, root):
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


def request_of(origin, old, leaves):
    proof = consistency(old, leaves) if 0 < old <= len(leaves) else []
    lines = "".join(base64.b64encode(h).decode() + "\n" for h in proof)
    return f"old {old}\n{lines}\n".encode() + body_of(origin, len(leaves), root_of(leaves))


def settings_of(path):
    return dict(line.split(" = ", 1) for line in open(path).read().splitlines() if line)


# ---- killed under load -----------------------------------------------------------------------------------
class Load:
    def __init__(self, config, seed):
        self.config, self.dice = settings_of(config), random.Random(seed)
        self.key = SigningKey(seed_of(self.config["key"])).verify_key
        self.lock, self.stop = threading.Lock(), False
        self.leaves = {}  # of every root that anybody asked for
        self.heads = {}  # size: every root that was signed
        self.answers = self.refused = self.broken = self.largest = 0
        self.faults = []

    def candidate(self, dice, base):
        """The leaves of a head to ask for: mostly more of the same, sometimes another past."""
        lose = dice.choice((0, 0, 0, 1, 2, 5))
        kept = base[:max(0, len(base) - lose)]
        new = [hashlib.sha256(b"\0" + dice.randbytes(8)).digest() for _ in range(dice.randint(1, 4))]
        return kept + tuple(new)

    def round(self, dice, peer):
        with self.lock:
            known = self.largest
        size, root = peer.hello()
        with self.lock:
            if size < known:
                self.faults.append(f"it says {size}, but has signed {known}")
            base = self.leaves.get(root, ()) if size else ()
        leaves = self.candidate(dice, base)
        new = root_of(leaves)
        with self.lock:
            self.leaves[new] = leaves
        answer = peer.ask(request_of(self.config["origin"], size, leaves))
        if answer[0] == "signed":
            self.key.verify(body_of(self.config["origin"], len(leaves), new), base64.b64decode(answer[1]))
        with self.lock:
            self.answers += 1
            self.refused += answer[0] == "refused"
            if answer[0] == "signed":
                self.heads.setdefault(len(leaves), set()).add(new)
                self.largest = max(self.largest, len(leaves))
                if leaves[:size] != base:
                    self.faults.append(f"a fork of {size} was signed at {len(leaves)}")

    def client(self, seed):
        dice, peer = random.Random(seed), None
        while not self.stop:
            try:
                peer = peer or Peer(self.config["socket"])
                self.round(dice, peer)
            except (ConnectionError, TimeoutError, OSError):
                self.broken, peer = self.broken + 1, None
            except Exception as e:  # noqa: BLE001, whatever it is the test must not go on without this client
                self.faults.append(repr(e))
                return

    def wait_for(self, more):
        want, deadline = self.answers + more, time.monotonic() + PATIENCE_S
        while self.answers < want and time.monotonic() < deadline and not self.faults:
            time.sleep(0.001)

    def run(self, program, config, kills):
        threads = [threading.Thread(target=self.client, args=(self.dice.random(),)) for _ in range(3)]
        process = subprocess.Popen([program, "--config", config], stderr=subprocess.DEVNULL)
        for t in threads:
            t.start()
        for _ in range(kills):
            self.wait_for(self.dice.randint(1, 20))
            process.kill()
            process.wait()
            process = subprocess.Popen([program, "--config", config], stderr=subprocess.DEVNULL)
        self.wait_for(1) # the last one is up: before that SIGTERM ends it as it ends any program
        self.stop = True
        for t in threads:
            t.join()
        process.send_signal(signal.SIGTERM)
        if process.wait(PATIENCE_S) != 0:
            self.faults.append(f"it ended with {process.returncode}")

    def check(self):
        yield from self.faults
        last = ()
        for size in sorted(self.heads):
            if len(self.heads[size]) != 1:
                yield f"{len(self.heads[size])} heads of size {size} were signed"
            leaves = self.leaves[next(iter(self.heads[size]))]
            if leaves[:len(last)] != last:
                yield f"the head of size {size} does not extend that of {len(last)}"
            last = leaves


def kills(program, config, n, seed):
    load = Load(config, int(seed))
    load.run(program, config, int(n))
    faults = list(load.check())
    print(f"seed {seed}: {n} kills, {load.answers} answers, {len(load.heads)} heads, {load.refused} refused, "
          f"{load.broken} connections broken, last size {load.largest}")
    if not faults and (load.refused == 0 or len(load.heads) < int(n)):
        faults.append("the load was none")
    return faults


# ---- a socket from systemd -------------------------------------------------------------------------------
def passed(program, config):
    with tempfile.TemporaryDirectory() as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(folder + "/passed")
        listener.listen()
        fd = listener.detach()
        if fd != 3:
            os.dup2(fd, 3)
            os.close(fd)
        process = subprocess.Popen(
            ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --config "$1"', program, config],
            pass_fds=(3,), stderr=subprocess.DEVNULL)
        size = Peer(folder + "/passed").hello()[0]
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_S)
        print(f"last size {size}, ended with {code}")
        if code != 0 or not os.path.exists(folder + "/passed"):
            yield "a socket of systemd's is not ours to remove"


def main(argv):
    if argv[1] == "size":
        print(Peer(settings_of(argv[2])["socket"]).hello()[0])
        return 0
    faults = list({"kills": kills, "passed": passed}[argv[1]](*argv[2:]))
    for fault in faults[:10]:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
