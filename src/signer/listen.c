/* SPDX-License-Identifier: Apache-2.0 */
/* Where it listens, and to whom. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/num.h"
#include "signer.h"
#include "sys/file.h"

#define BACKLOG 8

/* A name of the user or group list, or a number. */
static bool
number_of(const char *text, uint32_t *out)
{
    uint64_t n;
    if (!tly_u64_parse(tly_text(text), UINT32_MAX - 1, &n)) {
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

enum tly_err
signer_client(const struct settings *settings, uid_t *out, struct tly_diag *diag)
{
    const struct passwd *user = getpwnam(settings->client);
    if (user != NULL) {
        *out = user->pw_uid;
        return TLY_OK;
    }
    return number_of(settings->client, out)
               ? TLY_OK
               : tly_fail(diag, TLY_EINPUT, "client = \"%s\": there is no such user",
                          settings->client);
}

enum tly_err
signer_group(const struct settings *settings, gid_t *out, struct tly_diag *diag)
{
    const struct group *group = getgrnam(settings->group);
    if (group != NULL) {
        *out = group->gr_gid;
        return TLY_OK;
    }
    return number_of(settings->group, out)
               ? TLY_OK
               : tly_fail(diag, TLY_EINPUT, "group = \"%s\": there is no such group",
                          settings->group);
}

static enum tly_err
failed(const char *path, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_EIO, "socket = %s: %s", path, strerrordesc_np(errno));
}

/* What a signer that was killed left behind goes; one that answers stays. */
static enum tly_err
old_socket_remove(const struct sockaddr_un *at, struct tly_diag *diag)
{
    struct stat st;
    if (lstat(at->sun_path, &st) != 0) {
        return errno == ENOENT ? TLY_OK : failed(at->sun_path, diag);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return tly_fail(diag, TLY_ECONFLICT, "socket = %s: is there already and no socket",
                        at->sun_path);
    }
    TLY_AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return failed(at->sun_path, diag);
    }
    if (connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 || errno != ECONNREFUSED) {
        return tly_fail(diag, TLY_ECONFLICT, "socket = %s: somebody listens there already",
                        at->sun_path);
    }
    return unlink(at->sun_path) == 0 || errno == ENOENT ? TLY_OK : failed(at->sun_path, diag);
}

/* Closed to all but us until group and mode are what they should be. */
static enum tly_err
socket_bind(const struct settings *settings, const struct sockaddr_un *at, int fd,
            struct tly_diag *diag)
{
    const bool   grouped = *settings->group != '\0';
    gid_t        group   = (gid_t)-1;
    enum tly_err err     = grouped ? signer_group(settings, &group, diag) : TLY_OK;
    if (err == TLY_OK) {
        err = old_socket_remove(at, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    const mode_t old   = umask(0177);
    const bool   bound = bind(fd, (const struct sockaddr *)at, sizeof *at) == 0;
    const int    e     = errno;
    (void)umask(old);
    errno = e;
    if (!bound) {
        return failed(settings->socket, diag);
    }
    if ((grouped &&
         (chown(at->sun_path, (uid_t)-1, group) != 0 || chmod(at->sun_path, 0660) != 0)) ||
        listen(fd, BACKLOG) != 0) {
        err = failed(settings->socket, diag);
        (void)unlink(at->sun_path);
    }
    return err;
}

static enum tly_err
socket_make(const struct settings *settings, int *out, struct tly_diag *diag)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(settings->socket) >= sizeof at.sun_path) {
        return tly_fail(diag, TLY_EINPUT, "socket = %s: longer than %zu bytes", settings->socket,
                        sizeof at.sun_path - 1);
    }
    memcpy(at.sun_path, settings->socket, strlen(settings->socket));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return failed(settings->socket, diag);
    }
    const enum tly_err err = socket_bind(settings, &at, fd, diag);
    if (err != TLY_OK) {
        (void)close(fd);
        return err;
    }
    *out = fd;
    return TLY_OK;
}

enum tly_err
signer_listen(const struct settings *settings, int *out, bool *ours, struct tly_diag *diag)
{
    const int n = sd_listen_fds(1);
    *ours       = n <= 0;
    if (*ours) {
        return socket_make(settings, out, diag);
    }
    if (n != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0) {
        return tly_fail(diag, TLY_EINPUT,
                        "systemd passes %d sockets: one Unix stream socket that listens is wanted",
                        n);
    }
    if (fcntl(SD_LISTEN_FDS_START, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(SD_LISTEN_FDS_START, F_SETFD, FD_CLOEXEC) != 0) {
        return failed("passed by systemd", diag);
    }
    *out = SD_LISTEN_FDS_START;
    return TLY_OK;
}
