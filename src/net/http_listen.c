/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket of a server: made from its address, or passed in by systemd. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_int.h"

/* Every terminal may reconnect at once; the kernel caps it at net.core.somaxconn. */
#define BACKLOG 4096

union address {
    struct sockaddr     any;
    struct sockaddr_in  in;
    struct sockaddr_in6 in6;
};

/* Length of the address, 0 when the text is none. */
static socklen_t
parse_address(const char *text, uint16_t port, union address *out)
{
    *out = (union address){0};
    if (inet_pton(AF_INET, text, &out->in.sin_addr) == 1) {
        out->in.sin_family = AF_INET;
        out->in.sin_port   = htons(port);
        return sizeof out->in;
    }
    if (inet_pton(AF_INET6, text, &out->in6.sin6_addr) == 1) {
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port   = htons(port);
        return sizeof out->in6;
    }
    return 0;
}

static bool
bind_to(int fd, const union address *address, socklen_t len)
{
    const int one = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
           bind(fd, &address->any, len) == 0;
}

static enum tly_err
open_new(const struct http_config *config, int backlog, int *fd, struct tly_diag *diag)
{
    union address   address;
    const socklen_t len = parse_address(config->address, config->port, &address);
    if (len == 0) {
        return tly_fail(diag, TLY_EINPUT, "%s.address = \"%s\" is no IP address", config->name,
                        config->address);
    }
    const int s = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0 || !bind_to(s, &address, len) || (backlog > 0 && listen(s, backlog) != 0)) {
        const int failed = errno;
        if (s >= 0) {
            (void)close(s);
        }
        return tly_fail(diag, failed == EADDRINUSE ? TLY_ECONFLICT : TLY_EIO,
                        "%s.address = %s, %s.port = %u: cannot listen: %s", config->name,
                        config->address, config->name, config->port, strerrordesc_np(failed));
    }
    *fd = s;
    return TLY_OK;
}

enum tly_err
http_address_check(const struct http_config *config, struct tly_diag *diag)
{
    int                s   = -1;
    const enum tly_err err = open_new(config, 0, &s, diag);
    if (err == TLY_OK) {
        (void)close(s);
    }
    return err;
}

enum tly_err
http_listen(const struct http_config *config, int *fd, uint16_t *port, struct tly_diag *diag)
{
    int s = config->listen_fd;
    if (s < 0) {
        const enum tly_err err = open_new(config, BACKLOG, &s, diag);
        if (err != TLY_OK) {
            return err;
        }
    } else {
        s = fcntl(s, F_DUPFD_CLOEXEC, 3);
        if (s < 0 || fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK) != 0) {
            return tly_fail(diag, TLY_EIO, "%s: the socket passed in: %s", config->name,
                            strerrordesc_np(errno));
        }
    }
    union address bound = {0};
    socklen_t     len   = sizeof bound;
    (void)getsockname(s, &bound.any, &len);
    *port = 0;
    if (bound.any.sa_family == AF_INET) {
        *port = ntohs(bound.in.sin_port);
    } else if (bound.any.sa_family == AF_INET6) {
        *port = ntohs(bound.in6.sin6_port);
    }
    *fd = s;
    return TLY_OK;
}
