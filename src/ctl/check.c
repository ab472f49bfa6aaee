/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"
#include "pack/definition.h"
#include "sys/file.h"

static void
print_text(const char *dir, const struct faults *faults, const struct check_count counts[],
           const char *hex)
{
    faults_print(faults, dir, stdout);
    if (faults->n > 0) {
        (void)printf("%" PRIu64 " fault%s\n", faults->n, faults->n == 1 ? "" : "s");
        return;
    }
    for (unsigned i = 0; counts[i].name != NULL; i++) {
        (void)printf("%-12s %" PRIu32 "\n", counts[i].name, counts[i].n);
    }
    (void)printf("%-12s %s\n", "hash", hex);
}

static json_t *
faults_json(const struct faults *faults)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < faults->kept; i++) {
        const struct fault *f = &faults->list[i];
        (void)json_array_append_new(list, json_pack("{s:s,s:I,s:I,s:s}", "file", f->file, "line",
                                                    (json_int_t)f->line, "column",
                                                    (json_int_t)f->column, "text", f->text));
    }
    return list;
}

static void
print_json(const char *package, const struct faults *faults, const struct check_count counts[],
           const char *hex)
{
    json_t *numbers = json_object();
    for (unsigned i = 0; faults->n == 0 && counts[i].name != NULL; i++) {
        (void)json_object_set_new(numbers, counts[i].name, json_integer(counts[i].n));
    }
    TLY_AUTO(json)
    json_t *root =
        json_pack("{s:s,s:b,s:o,s:o,s:I,s:o}", "package", package, "ok", faults->n == 0, "counts",
                  numbers, "hash", faults->n == 0 ? json_string(hex) : json_null(), "faults_n",
                  (json_int_t)faults->n, "faults", faults_json(faults));
    if (root != NULL && json_dumpf(root, stdout, JSON_COMPACT) == 0) {
        (void)printf("\n");
    }
}

enum tly_err
check_definition(const struct cli *cli, const char *registry, struct tly_arena *arena,
                 struct faults *faults, struct election **out, struct tly_diag *diag)
{
    char            beside[FILE_PATH_SIZE];
    struct tly_diag why = {0};
    file_path(beside, "%s/../definition", registry);
    const char        *dir = cli_value(cli, "definition", beside);
    const enum tly_err err = definition_load(dir, arena, out, faults, &why);
    return err == TLY_OK
               ? TLY_OK
               : tly_fail(
                     diag, err,
                     "the definition %s cannot be used (tallyctl definition check tells why): %s",
                     dir, why.text);
}

enum cli_exit
check_report(const struct cli *cli, const char *package, const char *dir,
             const struct faults *faults, const struct check_count counts[],
             const struct tly_hash *hash)
{
    char hex[TLY_HEX_SIZE(sizeof hash->b)];
    tly_hex(hash->b, sizeof hash->b, hex);
    if (cli_flag(cli, "json")) {
        print_json(package, faults, counts, hex);
    } else {
        print_text(dir, faults, counts, hex);
    }
    return faults->n == 0 ? CLI_DONE : CLI_REFUSED;
}
