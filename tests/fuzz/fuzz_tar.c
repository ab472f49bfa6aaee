/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a TAR says, its files lie inside it, and their names neither climb nor are absolute. */
#include "base/check.h"
#include "sys/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t         size;
};

static enum tly_err
read_input(void *arg, uint64_t offset, size_t len, uint8_t *out, struct tly_diag *diag)
{
    const struct input *in = arg;
    (void)diag;
    TLY_CHECK(offset <= in->size && len <= in->size - offset);
    if (len > 0) {
        memcpy(out, in->data + offset, len);
    }
    return TLY_OK;
}

static enum tly_err
take(void *arg, const struct tar_file *file, struct tly_diag *diag)
{
    const struct input *in = arg;
    (void)diag;
    TLY_CHECK(file->offset <= in->size && file->size <= in->size - file->offset);
    TLY_CHECK(file->name[0] != '\0' && file->name[0] != '/');
    TLY_CHECK(strncmp(file->name, "../", 3) != 0 && strstr(file->name, "/../") == NULL);
    return TLY_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tly_arena arena;
    struct input     in = {data, size};
    tly_arena_init(&arena, (size_t)8 << 20);
    const enum tly_err err = tar_walk(read_input, take, &in, size, &arena, NULL);
    TLY_CHECK(err == TLY_OK || err == TLY_EINPUT || err == TLY_ENOMEM);
    tly_arena_done(&arena);
    return 0;
}
