# Includes run one way: a file may include headers of its own layer or of an earlier one.
# Usage: awk -f layers.awk FILE..., paths like src/core/x.c or include/core/x.h
BEGIN {
    n = split("base core sys pack store net submit api daemon", order, " ")
    for (i = 1; i <= n; i++) rank[order[i]] = i
    rank["sim"] = rank["sys"] + 0.5   # leaves: nobody includes them
    rank["ctl"] = rank["store"] + 0.5
    deny["net", "store"]; deny["net", "core"]; deny["sys", "core"]   # plumbing knows no elections
}
FNR == 1 { split(FILENAME, part, "/"); mine = part[2] }
/^#include "[a-z]+\// {
    split($2, inc, /["\/]/)
    if ((inc[2] in rank) && (rank[inc[2]] > rank[mine] || (mine, inc[2]) in deny)) {
        print FILENAME ":" FNR ": " mine " must not include " $2; bad = 1
    }
}
/^#include </ && (mine == "base" || mine == "core") && !/<(stdarg|stdbool|stddef|stdint|stdio|stdlib|string|sodium)\.h>/ {
    print FILENAME ":" FNR ": " mine " must not include " $2; bad = 1
}
END { exit bad }
