/* SPDX-License-Identifier: Apache-2.0 */
/* The published folder.  Only names that the layout has are looked for: no path of a request ever
 * reaches the file system as it came. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_int.h"
#include "core/tile.h"
#include "pack/package.h"
#include "publish/publish.h"
#include "sys/file.h"
#include "sys/sha256.h"

#define PREFIX    "/log/"
#define SMALL_MAX ((size_t)64 << 10) /* bytes of a file that is read at once */
#define TEXT      "text/plain; charset=utf-8"
#define BINARY    "application/octet-stream"

/* What a path names. */
struct published {
    char        path[2 * TILE_PATH_SIZE]; /* below the folder */
    const char *type;
    bool        changes; /* checkpoint and policy; all else has one content for ever */
};

static bool
find_doc(const struct api_req *r, struct published *out)
{
    static const enum package_kind kinds[] = {PACKAGE_DEFINITION, PACKAGE_REGISTRY};
    for (size_t i = 0; i < TLY_N(kinds); i++) {
        const char *dir  = package_kind_name(kinds[i]);
        const char *file = NULL;
        if (!tly_bytes_eq(r->args[0], tly_text(dir))) {
            continue;
        }
        for (const char *const *name = package_names(kinds[i]); *name != NULL; name++) {
            file = tly_bytes_eq(r->args[1], tly_text(*name)) ? *name : file;
        }
        if (tly_bytes_eq(r->args[1], tly_text(PACKAGE_SIGNATURES))) {
            file = PACKAGE_SIGNATURES;
        }
        if (file != NULL) {
            const char *dot = strrchr(file, '.');
            (void)snprintf(out->path, sizeof out->path, PUBLISH_DOC "/%s/%s", dir, file);
            out->type = strcmp(dot, ".csv") == 0    ? "text/csv; charset=utf-8"
                        : strcmp(dot, ".json") == 0 ? "application/json"
                                                    : ENVELOPE_MEDIA_TYPE;
        }
        return file != NULL;
    }
    return false;
}

static bool
find(const struct api_req *r, struct published *out)
{
    const char *path = r->http->path + strlen(PREFIX);
    struct tile tile;
    *out = (struct published){.type = BINARY};
    if (strcmp(path, PUBLISH_CHECKPOINT) == 0 || strcmp(path, PUBLISH_POLICY) == 0) {
        out->type    = TEXT;
        out->changes = true;
        (void)snprintf(out->path, sizeof out->path, "%s", path);
        return true;
    }
    if (tile_parse(tly_text(path), &tile)) {
        (void)tile_path(&tile, out->path);
        return true;
    }
    return find_doc(r, out);
}

static void
kept_for_ever(const struct api_req *r)
{
    http_reply_header(r->http, "Cache-Control", "public, max-age=31536000, immutable");
}

static enum http_next
reply_small(struct api_req *r, const struct published *file, int fd, size_t len)
{
    uint8_t *data = tly_arena_alloc(r->http->arena, len + 1, 1);
    size_t   at   = 0;
    while (data != NULL && at < len) {
        const ssize_t n = read(fd, data + at, len - at);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return api_reply_err(r->state, r->http, TLY_EIO, NULL);
        }
        at += n > 0 ? (size_t)n : 0;
    }
    if (data == NULL) {
        return api_reply_err(r->state, r->http, TLY_ENOMEM, NULL);
    }
    const struct tly_bytes bytes = {data, len};
    if (!file->changes) {
        kept_for_ever(r);
    } else {
        const struct tly_hash hash    = sys_sha256(bytes);
        uint64_t              version = 0;
        memcpy(&version, hash.b, sizeof version);
        if (api_not_modified(r, version)) {
            return HTTP_REPLIED;
        }
    }
    api_headers(r->state, r->http);
    http_reply_borrowed(r->http, 200, file->type, bytes);
    return HTTP_REPLIED;
}

/* GET /log/...: a file of the published folder.
 * 200: its bytes.  304: checkpoint and policy.  404: problem. */
enum http_next
api_log_get(struct api_req *r)
{
    struct published file;
    struct stat      st;
    char             path[FILE_PATH_SIZE];
    if (!find(r, &file)) {
        return api_reply_missing(r, "published file");
    }
    file_path(path, "%s/%s", r->state->config.published, file.path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        tly_auto_fd(&fd);
        return api_reply_missing(r, "published file");
    }
    if ((size_t)st.st_size <= SMALL_MAX) {
        const enum http_next next = reply_small(r, &file, fd, (size_t)st.st_size);
        tly_auto_fd(&fd);
        return next;
    }
    kept_for_ever(r);
    api_headers(r->state, r->http);
    http_reply_file(r->http, 200, file.type, fd, (uint64_t)st.st_size);
    return HTTP_REPLIED;
}
