/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"

enum tly_err
newfile_write(const char *path, struct tly_bytes data, mode_t mode, struct tly_diag *diag)
{
    TLY_AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return errno == EEXIST ? tly_fail(diag, TLY_ECONFLICT,
                                          "%s: is there already and is not overwritten", path)
                               : tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
    }
    while (data.len > 0) {
        const ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno != EINTR) {
            const int e = errno;
            (void)unlink(path);
            return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(e));
        }
        if (n > 0) {
            data.data += n;
            data.len -= (size_t)n;
        }
    }
    return TLY_OK;
}
