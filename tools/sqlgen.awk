# SPDX-License-Identifier: Apache-2.0
# Turns sql/queries/NAME.sql into C: an enum of statements, and their texts and parameter counts.
# Usage: awk -v out=h|c -f tools/sqlgen.awk sql/queries/*.sql
#        awk -v out=script -f tools/sqlgen.awk sql/schema.sql sql/migrations/*.sql sql/roles.sql
function flush_file() {
    if (name == "") return
    n++; names[n] = name; texts[n] = text; params[n] = pmax
}
FNR == 1 { flush_file(); name = FILENAME; sub(/.*\//, "", name); sub(/\.sql$/, "", name); text = ""; pmax = 0 }
/^--/ { next }
{
    line = $0; rest = line
    while (match(rest, /\$[0-9]+/)) {
        p = substr(rest, RSTART + 1, RLENGTH - 1) + 0; if (p > pmax) pmax = p
        rest = substr(rest, RSTART + RLENGTH)
    }
    gsub(/\\/, "\\\\", line); gsub(/"/, "\\\"", line)
    text = text "\n     \"" line "\\n\""
}
END {
    flush_file()
    if (out == "h") {
        print "/* Generated from sql/queries/ by tools/sqlgen.awk. */\n#pragma once\n\nenum store_stmt {"
        for (i = 1; i <= n; i++) print "    STMT_" toupper(names[i]) ","
        print "    STMT_N\n};\n"
        print "struct store_stmt_text {\n    const char *name, *sql;\n    int params_n;\n};"
        print "extern const struct store_stmt_text store_stmt_texts[STMT_N];\n"
        print "/* Scripts of tallyctl migrate, in the order of running; the last has a NULL sql. */"
        print "struct store_script {\n    int version; /* 0: runs every time */\n    const char *name, *sql;\n};"
        print "extern const struct store_script store_scripts[];"
    } else if (out == "script") {
        print "/* Generated from sql/ by tools/sqlgen.awk. */\n#include \"store_stmt.h\"\n"
        print "const struct store_script store_scripts[] = {"
        for (i = 1; i <= n; i++)
            print "    {" names[i] + 0 ", \"" names[i] "\"," texts[i] "},"
        print "    {0, 0, 0},\n};"
    } else {
        print "/* Generated from sql/queries/ by tools/sqlgen.awk. */\n#include \"store_stmt.h\"\n"
        print "const struct store_stmt_text store_stmt_texts[STMT_N] = {"
        for (i = 1; i <= n; i++)
            print "    [STMT_" toupper(names[i]) "] = {\"" names[i] "\"," texts[i] ",\n     " params[i] "},"
        print "};"
    }
}
