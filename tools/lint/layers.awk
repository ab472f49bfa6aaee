# SPDX-License-Identifier: Apache-2.0
# Includes run one way: a file may include headers of its own layer or of an earlier one, and only the
# libraries that its layer is for.  Usage: awk -f layers.awk FILE..., paths like src/core/x.c, include/core/x.h
BEGIN {
    n = split("base core sys pack store publish net follow submit api daemon", order, " ")
    for (i = 1; i <= n; i++) rank[order[i]] = i
    # Programs: on top of submit, and nobody includes them.
    split("ctl sim verify signer courier witness", top, " ")
    for (i in top) { rank[top[i]] = rank["submit"] + 0.5; leaf[top[i]] = 1 }
    leaf["daemon"] = 1
    # Plumbing knows no elections.
    deny["net", "store"]; deny["net", "core"]; deny["net", "pack"]; deny["net", "publish"]; deny["publish", "store"]; deny["sys", "core"]; deny["follow", "store"]; deny["follow", "publish"]
    # Libraries: layers where they may not be.
    lib["libpq-fe.h"]   = "sys pack publish net follow submit api daemon sim"
    lib["microhttpd.h"] = "sys pack store publish follow submit api daemon ctl sim"
    lib["jansson.h"]    = "sys store publish"
    lib["systemd/sd-daemon.h"] = "sys pack store publish net follow submit api ctl sim"
}
FNR == 1 { split(FILENAME, part, "/"); mine = part[2] }
function refuse(what) { print FILENAME ":" FNR ": " mine " must not include " what; bad = 1 }
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\""); path = quoted[2]
    if (path ~ /\.\.\/\.\.\//) refuse(path " (out of its layer)")
    if (split(path, inc, "/") < 2 || !(inc[1] in rank)) next
    if (inc[1] == mine) next
    if (rank[inc[1]] > rank[mine] || (mine, inc[1]) in deny || inc[1] in leaf) refuse(path)
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    split($0, angle, /[<>]/); path = angle[2]
    if ((mine == "base" || mine == "core") && path !~ /^(inttypes|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|sodium)\.h$/) refuse(path)
    if (mine == "core" && path ~ /^(stdatomic|stdio|stdlib)\.h$/) refuse(path)
    if (path in lib && (" " lib[path] " ") ~ (" " mine " ")) refuse(path)
}
END { exit bad }
