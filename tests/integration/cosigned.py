# SPDX-License-Identifier: Apache-2.0
"""Is a published checkpoint cosigned?  cosigned.py CHECKPOINT VKEY...: exit 0 when the line of every witness is
there and verifies; prints size and ages."""
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
from logs import cosigned_at  # noqa: E402

body, _, lines = Path(sys.argv[1]).read_bytes().partition(b"\n\n")
body += b"\n"
lines = lines.splitlines(keepends=True)
now = time.time()
for vkey in sys.argv[2:]:
    mine = [line for line in lines if line.startswith(f"\u2014 {vkey.split('+')[0]} ".encode())]
    assert len(mine) == 1, (vkey, lines)
    at = cosigned_at(vkey, body, mine[0])
    assert now - 600 < at <= now + 1, at
    print(body.split(b"\n")[1].decode(), vkey.split("+")[0], int(now - at))
