/* SPDX-License-Identifier: Apache-2.0 */
/* tally-signer: holds the log's key and signs tree heads, each only if it extends the last. */
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "core/receipt.h"
#include "signer.h"
#include "sys/cli.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/version.h"

#define SETTINGS_ARENA_MAX ((size_t)1 << 20)
#define RECEIPT_BEGIN      "c2sp.org/tlog-proof@"

enum mode { MODE_RUN, MODE_CHECK, MODE_PRINT, MODE_SAMPLE, MODE_INIT, MODE_VKEY };

static const char help[] =
    "tally-signer: holds the log's key and signs tree heads, each only if it extends the last.\n"
    "\n"
    "Usage: tally-signer [OPTION]...\n"
    "\n"
    "  --config FILE     settings; without it the defaults\n"
    "  --check-config    load settings, key and state, say what is wrong, and end\n"
    "  --print-config    the settings in force, as a file, and end\n"
    "  --sample-config   every setting with its default and range, as a file, and end\n"
    "  --vkey            the log's public key as verifiers take it, and end\n"
    "  --init            make the state file of a log of which nothing was ever signed, and end\n"
    "  --from FILE       with --init: the newest checkpoint (or receipt) that this key signed; "
    "for\n"
    "                    a log whose state is lost.  Never an older one: see operations.md\n"
    "  --version, --help\n"
    "\n"
    "Exit: 0 stopped as asked, or fine; 1 it refuses to go on; 2 usage or settings.\n";

struct options {
    const char *config, *from;
    enum mode   mode;
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'k'},
    {"print-config", no_argument, NULL, 'p'}, {"sample-config", no_argument, NULL, 's'},
    {"vkey", no_argument, NULL, 'y'},         {"init", no_argument, NULL, 'i'},
    {"from", required_argument, NULL, 'f'},   {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};

/* false: *code says how to end. */
static bool
options_read(int argc, char *argv[], struct options *o, enum cli_exit *code)
{
    *code = CLI_DONE;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            o->config = optarg;
            break;
        case 'f':
            o->from = optarg;
            break;
        case 'k':
            o->mode = MODE_CHECK;
            break;
        case 'p':
            o->mode = MODE_PRINT;
            break;
        case 's':
            o->mode = MODE_SAMPLE;
            break;
        case 'y':
            o->mode = MODE_VKEY;
            break;
        case 'i':
            o->mode = MODE_INIT;
            break;
        case 'v':
            (void)printf("tally-signer %s\n", version_text());
            return false;
        case 'h':
            (void)fputs(help, stdout);
            return false;
        default:
            *code = CLI_UNUSABLE;
            return false;
        }
    }
    if (optind < argc || (o->from != NULL && o->mode != MODE_INIT)) {
        (void)fprintf(stderr, "tally-signer: unexpected argument %s\n",
                      optind < argc ? argv[optind] : "--from (it goes with --init)");
        *code = CLI_UNUSABLE;
        return false;
    }
    return true;
}

static enum cli_exit
refuse(enum tly_err err, const struct tly_diag *diag)
{
    log_event(LOG_ERR, "signer.refused", "error=%s why=%s", tly_err_name(err),
              log_why(diag->text[0] != '\0' ? diag->text : tly_err_text(err)).s);
    return CLI_REFUSED;
}

/* ---- modes ---- */

/* The head of a checkpoint that this key signed, or of a receipt, whose last part is one. */
static enum tly_err
first_head(const struct signer *signer, const char *path, struct slots_head *out,
           struct tly_diag *diag)
{
    struct tly_arena                 space = {.bytes_max = (size_t)RECEIPT_LEN_MAX * 4};
    TLY_AUTO(arena) struct tly_arena arena = space;
    struct tly_bytes                 text  = {0};
    struct tly_diag                  why   = {0};
    enum tly_err                     err   = file_read(path, RECEIPT_LEN_MAX, &arena, &text, diag);
    if (err != TLY_OK) {
        return err;
    }
    const uint8_t *gap = memmem(text.data, text.len, "\n\n", 2);
    if (gap != NULL &&
        strncmp((const char *)text.data, RECEIPT_BEGIN, strlen(RECEIPT_BEGIN)) == 0) {
        text.len -= (size_t)(gap + 2 - text.data);
        text.data = gap + 2;
    }
    err = note_check(text, &signer->vkey, &out->head, &why);
    if (err != TLY_OK) {
        return tly_fail(diag, err, "%s: %s", path, why.text);
    }
    note_sign(signer->vkey.name, &out->head, signer->secret, &out->sig);
    return TLY_OK;
}

static enum tly_err
init(const struct signer *signer, const struct settings *settings, const char *from,
     struct tly_diag *diag)
{
    struct slots_head first = {.head = {.size = 0, .root = merkle_empty()}};
    enum tly_err      err   = from == NULL ? TLY_OK : first_head(signer, from, &first, diag);
    if (err == TLY_OK) {
        err = slots_make(settings->state, &signer->vkey, &first, diag);
    }
    if (err == TLY_OK) {
        (void)printf("%s: made for %s, its last signed head has size %" PRIu64 "\n",
                     settings->state, signer->vkey.name, first.head.size);
    }
    return err;
}

static enum tly_err
check(const struct signer *signer, const struct settings *settings, struct tly_diag *diag)
{
    struct slots_head last   = {0};
    uid_t             client = 0;
    gid_t             group  = 0;
    enum tly_err      err    = signer_client(settings, &client, diag);
    if (err == TLY_OK && *settings->group != '\0') {
        err = signer_group(settings, &group, diag);
    }
    if (err == TLY_OK) {
        err = slots_look(settings->state, &signer->vkey, &last, diag);
    }
    if (err == TLY_OK) {
        (void)printf("%s: the last signed head has size %" PRIu64 ": fine\n", signer->vkey.name,
                     last.head.size);
    }
    return err;
}

static enum tly_err
run(struct signer *signer, const struct settings *settings, struct tly_diag *diag)
{
    struct serve serve = {
        .signer = signer, .listen_fd = -1, .request_ms = (unsigned)settings->request_ms};
    bool         ours = false;
    enum tly_err err  = signer_client(settings, &serve.client, diag);
    if (err == TLY_OK) {
        err = slots_open(settings->state, &signer->vkey, &signer->slots, diag);
    }
    if (err == TLY_OK && signer->slots.damaged > 0) {
        log_event(LOG_WARNING, "state.repaired",
                  "size=%" PRIu64 " why=\"one slot was not whole, as a power cut leaves it\"",
                  signer->slots.last.head.size);
    }
    if (err == TLY_OK) {
        err = signer_listen(settings, &serve.listen_fd, &ours, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    log_event(LOG_NOTICE, "signer.ready", "origin=%s size=%" PRIu64, signer->vkey.name,
              signer->slots.last.head.size);
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s, last head %" PRIu64, signer->vkey.name,
                     signer->slots.last.head.size);
    err = signer_serve(&serve, diag);
    (void)sd_notify(0, "STOPPING=1");
    (void)close(serve.listen_fd);
    if (ours) {
        (void)unlink(settings->socket);
    }
    if (err == TLY_OK) {
        log_event(LOG_NOTICE, "signer.stopped", "size=%" PRIu64, signer->slots.last.head.size);
    }
    return err;
}

static enum cli_exit
with_key(const struct options *o, const struct settings *settings)
{
    struct signer   signer = {0};
    struct tly_diag diag   = {0};
    char            text[NOTE_LEN_MAX];
    signer_close_process();
    enum tly_err err = signer_key(&signer, settings, &diag);
    if (err == TLY_OK && o->mode == MODE_VKEY) {
        (void)note_vkey_write(&signer.vkey, text);
        (void)printf("%s\n", text);
    } else if (err == TLY_OK && o->mode == MODE_INIT) {
        err = init(&signer, settings, o->from, &diag);
    } else if (err == TLY_OK && o->mode == MODE_CHECK) {
        err = check(&signer, settings, &diag);
    } else if (err == TLY_OK) {
        err = run(&signer, settings, &diag);
    }
    slots_close(&signer.slots);
    signer_key_wipe(&signer);
    return err == TLY_OK ? CLI_DONE : refuse(err, &diag);
}

int
main(int argc, char *argv[])
{
    struct options   o = {0};
    struct settings  settings;
    struct tly_arena arena;
    struct tly_diag  diag = {0};
    enum cli_exit    code;
    if (!options_read(argc, argv, &o, &code)) {
        return (int)code;
    }
    if (o.mode == MODE_SAMPLE) {
        config_sample(&settings_table, stdout);
        return CLI_DONE;
    }
    tly_arena_init(&arena, SETTINGS_ARENA_MAX);
    const enum tly_err err = config_load(&settings_table, o.config, &arena, &settings, &diag);
    if (err != TLY_OK) {
        (void)fprintf(stderr, "tally-signer: %s\n", diag.text);
        code = CLI_UNUSABLE;
    } else if (o.mode == MODE_PRINT) {
        config_print(&settings_table, &settings, stdout);
    } else if (sodium_init() < 0) {
        code = CLI_REFUSED;
    } else {
        log_level(settings.log_debug ? LOG_DEBUG : LOG_INFO);
        code = with_key(&o, &settings);
    }
    tly_arena_done(&arena);
    return (int)code;
}
