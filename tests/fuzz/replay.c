/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over its corpus without a fuzzer, TAP: each file whole, and cut at every byte
 * where it is short.  Every crash ever found stays in the corpus. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "sys/file.h"
#include "t.h"

#define FILES_MAX ((size_t)10000)
#define BYTES_MAX ((size_t)16 << 20)
#define CUT_MAX   ((size_t)2048) /* longer ones are only cut in CUT_MAX places */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly this size, so that ASan sees one byte too far. */
static void
run(struct tly_bytes input)
{
    uint8_t *copy = malloc(input.len == 0 ? 1 : input.len);
    if (copy == NULL) {
        exit(EXIT_FAILURE);
    }
    if (input.len > 0) {
        memcpy(copy, input.data, input.len);
    }
    (void)LLVMFuzzerTestOneInput(copy, input.len);
    free(copy);
}

static void
replay(const char *path, const char *name)
{
    struct tly_diag                  diag;
    TLY_AUTO(arena) struct tly_arena arena;
    struct tly_bytes                 input;
    tly_arena_init(&arena, 2 * BYTES_MAX);
    if (file_read(path, BYTES_MAX, &arena, &input, &diag) != TLY_OK) {
        T_OK(false, diag.text);
        return;
    }
    printf("# %s\n", path);
    (void)fflush(stdout); /* the last line before a crash names its file */
    const size_t step = input.len / CUT_MAX + 1;
    for (size_t len = 0; len < input.len; len += step) {
        run((struct tly_bytes){input.data, len});
    }
    run(input);
    T_OK(true, name);
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct tly_diag                  diag;
        TLY_AUTO(arena) struct tly_arena arena;
        const char                     **names;
        size_t                           names_n;
        tly_arena_init(&arena, BYTES_MAX);
        if (file_list(argv[i], FILES_MAX, &arena, &names, &names_n, &diag) != TLY_OK) {
            T_OK(false, diag.text);
            continue;
        }
        T_OK(names_n > 0, "there is a corpus");
        for (size_t n = 0; n < names_n; n++) {
            char path[4096];
            (void)snprintf(path, sizeof path, "%s/%s", argv[i], names[n]);
            replay(path, names[n]);
        }
    }
    return T_DONE();
}
