/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: each type at and one over its limits, unknown and repeated keys, file and line in every
 * refusal, and what is printed reads back. */
#include <stddef.h>
#include <stdlib.h>

#include "base/check.h"
#include "sys/config.h"
#include "t.h"

struct settings {
    uint64_t    port;
    uint64_t    wait_ms;
    uint64_t    queue_bytes;
    bool        tls;
    const char *name;
    const char *key_file;
    const char *folder;
    uint64_t    rowless; /* no row sets it */
};

#define F(field) offsetof(struct settings, field)
static const struct config_row rows[] = {
    {"port", CONFIG_UINT, F(port), "8443", 1, 65535, "TCP port"},
    {"wait_max", CONFIG_MS, F(wait_ms), "30s", 1, 300000, "longest wait"},
    {"queue.bytes", CONFIG_BYTES, F(queue_bytes), "64M", 1024, (uint64_t)1 << 32, "queue"},
    {"tls", CONFIG_BOOL, F(tls), "yes", 0, 0, "mutual TLS"},
    {"name", CONFIG_TEXT, F(name), "", 0, 8, "a name"},
    {"key", CONFIG_PATH, F(key_file), "/etc/key", 1, 100, "the key's file"},
    {"folder", CONFIG_PATH, F(folder), "packages", 1, 100, "a folder whose default is relative"},
};
static const struct config_table table = {rows, TLY_N(rows), sizeof(struct settings)};

static struct tly_arena arena;
static struct settings  set;
static struct tly_diag  diag;

static enum tly_err
parse(const char *text)
{
    memset(&diag, 0, sizeof diag);
    return config_parse(&table, "dir/x.conf", tly_text(text), &arena, &set, &diag);
}

static void
takes(void)
{
    memset(&set, 0xa5, sizeof set);
    T_EQ(config_load(&table, NULL, &arena, &set, NULL), TLY_OK, "only defaults");
    T_EQ(set.rowless, 0, "what no row names is zero, not what the memory held");
    T_OK(set.port == 8443 && set.wait_ms == 30000 && set.queue_bytes == 64 << 20 && set.tls,
         "numbers and yes");
    T_STR(set.name, "", "an empty text");
    T_STR(set.key_file, "/etc/key", "an absolute path");
    T_EQ(parse("# a comment\n\n  port=1 \n\twait_max\t=\t250ms\nqueue.bytes = 4G\ntls = no\n"
               "name = a = b\nkey = keys/k.pem"),
         TLY_OK, "all set, no newline at the end");
    T_OK(set.port == 1 && set.wait_ms == 250 && set.queue_bytes == (uint64_t)4 << 30 && !set.tls,
         "numbers and no");
    T_STR(set.name, "a = b", "a text with an equals sign");
    T_STR(set.key_file, "dir/keys/k.pem", "a path relative to the file");
    T_STR(set.folder, "dir/packages", "a default that is relative, too");
    T_OK(parse("wait_max = 5m") == TLY_OK && set.wait_ms == 300000, "minutes, the maximum");
    T_OK(parse("queue.bytes = 1024") == TLY_OK && set.queue_bytes == 1024, "plain bytes, minimum");
    T_OK(parse("port = 00065535") == TLY_OK && set.port == 65535, "leading zeros");
    T_OK(parse("name = 12345678") == TLY_OK, "a text as long as may be");
}

static void
refuses(void)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"port = 0", "dir/x.conf:1: port = \"0\" is not in 1 to 65535"},
        {"\n# c\nport = 65536", "dir/x.conf:3: port = \"65536\" is not in 1 to 65535"},
        {"port = 18446744073709551616", "not in 1 to 65535"},
        {"port = 184467440737095516160", "not in 1 to 65535"},
        {"port = -1", "not in 1 to 65535"},
        {"port = 80s", "not in 1 to 65535"},
        {"port = 1.5", "not in 1 to 65535"},
        {"port =", "not in 1 to 65535"},
        {"wait_max = 0", "not in 1ms to 5m"},
        {"wait_max = 30", "not in 1ms to 5m"},
        {"wait_max = 30 s", "not in 1ms to 5m"},
        {"wait_max = 301s", "not in 1ms to 5m"},
        {"wait_max = 213503982335d", "not in 1ms to 5m"},
        {"queue.bytes = 1023", "not in 1K to 4G"},
        {"queue.bytes = 5G", "not in 1K to 4G"},
        {"queue.bytes = 64MB", "not in 1K to 4G"},
        {"queue.bytes = 64m", "not in 1K to 4G"},
        {"tls = true", "not in yes or no"},
        {"tls = Yes", "not in yes or no"},
        {"name = 123456789", "not in 0 to 8 bytes of text"},
        {"key =", "not in 1 to 100 bytes of text"},
        {"prot = 1", "dir/x.conf:1: no setting is called \"prot\""},
        {"Port = 1", "no setting is called \"Port\""},
        {"= 1", "no setting is called \"\""},
        {"port = 1\nport = 1", "dir/x.conf:2: port is set twice"},
        {"port", "dir/x.conf:1: not a line of the form key = value"},
        {"name = a\001b", "dir/x.conf:1: not a line"},
        {"name = a\r\n", "dir/x.conf:1: not a line"},
    };
    for (size_t i = 0; i < TLY_N(bad); i++) {
        T_EQ(parse(bad[i].text), TLY_EINPUT, "refused");
        if (!T_OK(strstr(diag.text, bad[i].why) != NULL, bad[i].why)) {
            printf("# got %s\n", diag.text);
        }
    }
    static const uint8_t nul[] = "name = a\0b";
    T_EQ(config_parse(&table, "x", (struct tly_bytes){nul, sizeof nul - 1}, &arena, &set, &diag),
         TLY_EINPUT, "a NUL inside");
    T_EQ(config_load(&table, "/does/not/exist", &arena, &set, &diag), TLY_ENOENT, "no such file");
    struct tly_arena none;
    tly_arena_init(&none, 0);
    T_EQ(config_parse(&table, "x", tly_text("name = a"), &none, &set, NULL), TLY_ENOMEM,
         "an arena without room");
}

/* What config_print() or config_sample() writes; to be freed. */
static char *
printed(bool sample)
{
    char  *text = NULL;
    size_t len  = 0;
    FILE  *out  = open_memstream(&text, &len);
    TLY_CHECK(out != NULL);
    if (sample) {
        config_sample(&table, out);
    } else {
        config_print(&table, &set, out);
    }
    fclose(out);
    return text;
}

static void
prints(void)
{
    T_EQ(parse("port = 7\nwait_max = 90s\nqueue.bytes = 3M\ntls = no\nname = x\nkey = /k\nfolder = "
               "/p"),
         TLY_OK, "some");
    char *text = printed(false);
    T_STR(text,
          "port = 7\nwait_max = 90s\nqueue.bytes = 3M\ntls = no\nname = x\nkey = /k\nfolder = /p\n",
          "printed as read");
    const struct settings keep = set;
    T_EQ(parse(text), TLY_OK, "which reads back");
    T_OK(keep.port == set.port && keep.wait_ms == set.wait_ms && keep.tls == set.tls &&
             keep.queue_bytes == set.queue_bytes,
         "to the same numbers");
    free(text);
    text = printed(true);
    static const char begin[] =
        "# TCP port (1 to 65535)\n#port = 8443\n\n# longest wait (1ms to 5m)\n";
    T_OK(strncmp(text, begin, sizeof begin - 1) == 0, "the sample: sentence, range, default");
    T_EQ(parse(text), TLY_OK, "the sample reads");
    T_EQ(set.port, 8443, "and changes nothing");
    for (char *p = text; (p = strstr(p, "\n#")) != NULL; p += 2) {
        if (p[2] != ' ') {
            p[1] = ' '; /* every default uncommented */
        }
    }
    T_EQ(parse(text), TLY_OK, "its defaults are settings");
    free(text);
}

int
main(void)
{
    tly_arena_init(&arena, 1 << 20);
    takes();
    refuses();
    prints();
    tly_arena_done(&arena);
    return T_DONE();
}
