/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that the linker puts into the place of others (--wrap, see the Makefile). */
#pragma once

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "core/bundle.h"
#include "core/decision.h"
#include "store/store.h"
#include "sys/queue.h"

/* Names in the programs' own spelling: they are the linker's. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */

/* files.c */
int     __real_open(const char *path, int flags, ...);
int     __wrap_open(const char *path, int flags, ...);
int     __wrap___open_2(const char *path, int flags);
int     __real_close(int fd);
int     __wrap_close(int fd);
int     __real_mkdir(const char *path, mode_t mode);
int     __wrap_mkdir(const char *path, mode_t mode);
int     __real_stat(const char *path, struct stat *st);
int     __wrap_stat(const char *path, struct stat *st);
int     __real_fstat(int fd, struct stat *st);
int     __wrap_fstat(int fd, struct stat *st);
int     __real_unlink(const char *path);
int     __wrap_unlink(const char *path);
int     __real_fcntl(int fd, int command, ...);
int     __wrap_fcntl(int fd, int command, ...);
ssize_t __real_pread(int fd, void *out, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *out, size_t len, off_t at);
ssize_t __wrap___pread_chk(int fd, void *out, size_t len, off_t at, size_t room);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int     __real_posix_fallocate(int fd, off_t at, off_t len);
int     __wrap_posix_fallocate(int fd, off_t at, off_t len);
int     __real_fsync(int fd);
int     __wrap_fsync(int fd);
int     __real_fdatasync(int fd);
int     __wrap_fdatasync(int fd);

/* signer.c */
int     sockets_close(int fd);
int     __wrap_socket(int domain, int type, int protocol);
int     __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *out, size_t len, int flags);
ssize_t __wrap___recv_chk(int fd, void *out, size_t len, size_t room, int flags);
int     __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int     __wrap___poll_chk(struct pollfd *fds, nfds_t n, int timeout_ms, size_t room);

/* papers.c */
enum tly_err __real_bundle_read(const struct bundle_rules *rules, struct tly_bytes in,
                                struct tly_arena *keep, struct tly_arena *scratch,
                                struct bundle *out, struct tly_diag *diag);
enum tly_err __wrap_bundle_read(const struct bundle_rules *rules, struct tly_bytes in,
                                struct tly_arena *keep, struct tly_arena *scratch,
                                struct bundle *out, struct tly_diag *diag);
enum tly_err __real_decision_read(const struct decision_rules *rules, struct tly_bytes in,
                                  struct tly_arena *arena, struct decision *out,
                                  struct tly_diag *diag);
enum tly_err __wrap_decision_read(const struct decision_rules *rules, struct tly_bytes in,
                                  struct tly_arena *arena, struct decision *out,
                                  struct tly_diag *diag);

/* signatures.c */
int __real_crypto_sign_detached(unsigned char *sig, unsigned long long *sig_len,
                                const unsigned char *message, unsigned long long len,
                                const unsigned char *secret);
int __wrap_crypto_sign_detached(unsigned char *sig, unsigned long long *sig_len,
                                const unsigned char *message, unsigned long long len,
                                const unsigned char *secret);
int __real_crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *message,
                                       unsigned long long len, const unsigned char *key);
int __wrap_crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *message,
                                       unsigned long long len, const unsigned char *key);

/* daemons.c */
long   __real_sysconf(int name);
long   __wrap_sysconf(int name);
int    __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *),
                             void *arg);
int    __wrap_pthread_join(pthread_t thread, void **out);
void   __wrap_log_event(int level, const char *event, const char *format, ...);
size_t __wrap_queue_take(struct queue *queue, void *items[], size_t items_max,
                         uint64_t deadline_ms);
bool   __wrap_queue_drained(struct queue *queue);

/* database.c */
enum tly_err __wrap_store_open(const char *conninfo, struct store **out, struct tly_diag *diag);
void         __wrap_store_close(struct store *store);
enum tly_err __wrap_store_claim(struct store *store, struct tly_diag *diag);
enum tly_err __wrap_store_idle_check(struct store *store, struct tly_diag *diag);
enum tly_err __wrap_store_election(struct store *store, struct store_election *out,
                                   struct tly_diag *diag);
enum tly_err __wrap_store_take_over(struct store *store, uint64_t *epoch, struct tly_diag *diag);
enum tly_err __wrap_store_commit(struct store *store, const struct seq_batch *batch,
                                 struct tly_diag *diag);
enum tly_err __wrap_store_recover(struct store *store, struct note_head *stored,
                                  struct tly_diag *diag);
enum tly_err __wrap_store_read(struct store *store, uint64_t from, uint64_t to, store_row_fn fn,
                               void *arg, struct tly_diag *diag);
enum tly_err __wrap_store_heads(struct store *store, store_head_fn fn, void *arg,
                                struct tly_diag *diag);

/* NOLINTEND(bugprone-reserved-identifier) */
