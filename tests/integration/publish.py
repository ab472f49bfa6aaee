# SPDX-License-Identifier: Apache-2.0
"""The published folder against the daemon, and the packs against what was sent (TAP).

    publish.py DIR API_PORT INGEST_PORT LOG [MIN_BALLOTS]

DIR: an enrolled election whose recording was sent, in full or in part; LOG: its published folder.
"""
import base64
import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from client import Client, Election, dumps, seed_of  # noqa: E402
from publog import Log, folder  # noqa: E402
from tap import Tap  # noqa: E402

IMMUTABLE = "public, max-age=31536000, immutable"


def served(tap, e, api, log):
    """Everything over /log/ is the folder's."""
    paths = log.paths() + [f"doc/{kind}/{p.name}" for kind in ("definition", "registry")
                           for p in sorted((e.dir / kind).iterdir())]
    wrong, types = [], {}
    for path in paths:
        answer = api.get(f"/log/{path}")
        same = answer.status == 200 and answer.body == log.read(path)
        wrong += [] if same else [path]
        types[path.split("/")[0] if "." not in path.split("/")[-1] or ".p/" in path else path.rsplit(".", 1)[1]] = (
            answer.headers["Content-Type"], answer.headers["Cache-Control"])
    tap.same(wrong, [], f"{len(paths)} files over /log/ are those of the folder")
    text, binary, ask = "text/plain; charset=utf-8", "application/octet-stream", "private, no-cache"
    tap.same(types, {"checkpoint": (text, ask), "policy": (text, ask), "tile": (binary, IMMUTABLE),
                     "bundle": (binary, IMMUTABLE), "csv": ("text/csv; charset=utf-8", IMMUTABLE),
                     "json": ("application/json", IMMUTABLE),
                     "dsse": ("application/vnd.dsse.envelope.v1+json", IMMUTABLE)}, "types and caching")
    head = api.request("HEAD", "/log/bundle/000")
    tap.same((head.status, head.body, int(head.headers["Content-Length"])), (200, b"", len(log.read("bundle/000"))),
             "HEAD")
    tag = api.get("/log/checkpoint").headers["ETag"]
    tap.same(api.get("/log/checkpoint", If_None_Match=tag).status, 304, "a checkpoint that is known: 304")
    over = Log(lambda path: api.get(f"/log/{path}").body)
    over.check()
    tap.same((over.size, over.root), (log.size, log.root), "a reader over /log/ finds the same root")
    for part in ("definition", "registry"):
        tap.ok(all(log.read(f"doc/{part}/{p.name}") == p.read_bytes() for p in (e.dir / part).iterdir()),
               f"doc/{part} is the package")


def refused(tap, e, api, ingest):
    for path in ("tile/0/000.p/256", "tile/0/0", "tile/0/000/", "tile/9/000", "tile/0/x000/000", "tile/64/000", "tile",
                 "tile/", "bundle/../checkpoint", "bundle/%2e%2e/checkpoint", "tile/0/..%2f..%2fcheckpoint",
                 "tile/entries/%2e%2e/%2e%2e/checkpoint", ".lock", "bundle/.lock", ".open-bundle", "doc/definition",
                 "doc/definition/.lock", "doc/definition/../../checkpoint", "doc/keys/root.key", "doc/registry/x.csv",
                 "checkpoint/", "Checkpoint", "bundle/%00", "tile/0/000%00.p/1", "x", "", "tile/0/900"):
        answer = api.get(f"/log/{path}")
        want = (400, 404) if "%00" in path else (404,)
        tap.ok(answer.status in want and answer.code() in ("not_found", "malformed"), f"/log/{path}: {want}", answer)
    tap.same(api.request("POST", "/log/checkpoint", b"{}").status, 405, "POST: 405")
    tap.same(api.get("/log/checkpoint?x=1").status, 422, "a parameter that nobody knows")
    for role, status in (("witness", 200), ("observer", 200), ("dashboard", 200), ("officer", 200), ("operator", 200),
                         ("relay", 403)):
        one = Client(e, api.connection.port, e.pem(e.client(role)))
        got = {one.get(f"/log/{path}").status for path in ("checkpoint", "bundle/000", "tile/0/000", "policy")}
        tap.same(got, {status}, f"as {role}: {status}")
        one.close()
    one = Client(e, ingest, e.pem(e.client("relay")))
    tap.same(one.get("/log/checkpoint").status, 404, "not on the terminals' port")
    one.close()


def signed(tap, e, log):
    from nacl.signing import SigningKey
    note = log.read("checkpoint").decode()
    body, _, lines = note.partition("\n\n")
    signature = base64.b64decode(lines.splitlines()[0].split(" ")[2])
    key = SigningKey(seed_of(e.dir / "keys/log.key")).verify_key
    key.verify(body.encode() + b"\n", signature[4:])
    name = f"{e.about['domain']}/{e.about['election']}/{e.about['phase']}"
    keyid = hashlib.sha256(name.encode() + b"\n\x01" + bytes(key)).digest()[:4]
    vkey = f"{name}+{keyid.hex()}+" + base64.b64encode(bytes([1]) + bytes(key)).decode()
    tap.same((log.origin, signature[:4]), (name, keyid), "the checkpoint is signed by the log's key")
    tap.same(log.read("policy").decode(), f"log {vkey}\nquorum none\n", "the policy names it")


def packed(tap, e, facts, envelopes, few):
    """Each pack's envelope is the one that its terminal sent; those with too few ballots are not there."""
    sent = {hashlib.sha256(dumps(body)).hexdigest(): dumps(body) for body in e.recorded.values()}
    bundles = [(f, v) for f, v in zip(facts, envelopes) if f["kind"] == "bundle"]
    wrong, hidden = [], 0
    for fact, envelope in bundles:
        body = sent[fact["envelope"].split(" ")[0]]
        payload = json.loads(base64.b64decode(json.loads(body)["payload"]))
        withhold = any(c.get("cast", few) < few for c in payload["contests"])
        hidden += withhold
        if envelope != (None if withhold else body):
            wrong.append(fact["branch"])
    tap.same(wrong, [], f"{len(bundles)} bundles: the envelope that was sent, but for {hidden} withheld")
    tap.ok((hidden > 0) == (few > 0) and hidden < len(bundles), "some are withheld exactly where the policy says so")


def main(argv):
    tap, e = Tap(), Election(argv[1])
    few = int(argv[5]) if len(argv) > 5 else 0
    api = Client(e, int(argv[2]), e.pem("auditor"))
    log = folder(argv[4])
    facts, envelopes = log.check()
    tap.same(facts[0]["kind"], "genesis", f"{log.size} entries: root, tiles and envelopes are right")
    signed(tap, e, log)
    packed(tap, e, facts, envelopes, few)
    if few == 0:
        served(tap, e, api, log)
        refused(tap, e, api, int(argv[3]))
    api.close()
    tap.done()


if __name__ == "__main__":
    main(sys.argv)
