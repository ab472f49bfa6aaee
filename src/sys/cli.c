/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/num.h"

#define HELP_COLUMN 30

struct cli {
    const struct cli_program *program;
    const struct cli_command *command;
    char                    **argv; /* behind the command's words */
    int                       argc;
};

static const struct cli_option *
option_find(const struct cli_command *command, const char *name, size_t len)
{
    for (const struct cli_option *o = command->options; o != NULL && o->name != NULL; o++) {
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

/* What stands before an option's name where a person types it. */
static const char *
dashes(const char *name)
{
    return name[1] == '\0' ? "-" : "--";
}

/* One word of the command line, and what it is. */
struct word {
    enum { WORD_ARG, WORD_OPTION, WORD_UNKNOWN, WORD_NO_VALUE, WORD_WITH_VALUE, WORD_END } kind;
    const struct cli_option *option;
    const char              *text; /* the argument, or the option's value */
};

/* Walks argv from *i; `plain` turns true behind "--". */
static struct word
word_next(const struct cli *cli, int *i, bool *plain)
{
    if (*i < cli->argc && !*plain && strcmp(cli->argv[*i], "--") == 0) {
        *plain = true;
        (*i)++;
    }
    if (*i >= cli->argc) {
        return (struct word){.kind = WORD_END};
    }
    const char *w = cli->argv[(*i)++];
    if (*plain || w[0] != '-' || w[1] == '\0') {
        return (struct word){.kind = WORD_ARG, .text = w};
    }
    const bool   is_long = w[1] == '-';
    const char  *name    = w + (is_long ? 2 : 1);
    const char  *equals  = is_long ? strchr(name, '=') : NULL;
    const size_t len     = equals == NULL ? strlen(name) : (size_t)(equals - name);
    struct word  word    = {.kind = WORD_OPTION, .option = option_find(cli->command, name, len)};
    if (word.option == NULL || is_long != (len > 1)) {
        return (struct word){.kind = WORD_UNKNOWN, .text = w};
    }
    if (word.option->value == NULL) {
        word.kind = equals == NULL ? WORD_OPTION : WORD_WITH_VALUE;
    } else if (equals != NULL) {
        word.text = equals + 1;
    } else if (*i < cli->argc) {
        word.text = cli->argv[(*i)++];
    } else {
        word.kind = WORD_NO_VALUE;
    }
    return word;
}

static void
help_columns(FILE *out, const char *left, const char *right)
{
    if (strlen(left) >= HELP_COLUMN) {
        (void)fprintf(out, "  %s\n  %-*s%s\n", left, HELP_COLUMN, "", right);
    } else {
        (void)fprintf(out, "  %-*s%s\n", HELP_COLUMN, left, right);
    }
}

/* Is it one of "pki ca", "pki issue" ...?  NULL: of any group or none. */
static bool
in_group(const struct cli_command *command, const char *group)
{
    const size_t len = group == NULL ? 0 : strlen(group);
    return group == NULL || (strncmp(command->name, group, len) == 0 && command->name[len] == ' ');
}

static bool
has_group(const struct cli_program *program, const char *group)
{
    const struct cli_command *const *c = program->commands;
    while (*c != NULL && !in_group(*c, group)) {
        c++;
    }
    return *c != NULL;
}

/* The commands of a group, or all. */
static void
program_help(const struct cli_program *program, const char *group, FILE *out)
{
    (void)fprintf(out, "%s: %s\n\nUsage: %s COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n",
                  program->name, program->summary, program->name);
    for (const struct cli_command *const *c = program->commands; *c != NULL; c++) {
        if (in_group(*c, group)) {
            char left[128];
            (void)snprintf(left, sizeof left, "%s %s", (*c)->name, (*c)->args);
            help_columns(out, left, (*c)->summary);
        }
    }
    (void)fprintf(out,
                  "\n%s COMMAND --help tells more.  Exit status: 0 done, 1 refused, 2 unusable "
                  "input or usage.\n",
                  program->name);
}

static void
command_help(const struct cli *cli, FILE *out)
{
    const struct cli_command *command = cli->command;
    (void)fprintf(out, "Usage: %s %s [OPTION]...%s%s\n\n%s\n", cli->program->name, command->name,
                  command->args[0] == '\0' ? "" : " ", command->args, command->summary);
    if (command->more != NULL) {
        (void)fprintf(out, "\n%s\n", command->more);
    }
    (void)fprintf(out, "\nOptions:\n");
    for (const struct cli_option *o = command->options; o != NULL && o->name != NULL; o++) {
        char left[128];
        (void)snprintf(left, sizeof left, "%s%s%s%s", dashes(o->name), o->name,
                       o->value == NULL ? "" : " ", o->value == NULL ? "" : o->value);
        help_columns(out, left, o->help);
    }
    help_columns(out, "--help", "this text");
}

/* Does the command line begin with the command's one or two words?  How many of argv they take. */
static int
command_words(const char *name, int argc, char *argv[])
{
    const char *space = strchr(name, ' ');
    if (space == NULL) {
        return argc >= 1 && strcmp(argv[0], name) == 0 ? 1 : 0;
    }
    const size_t first = (size_t)(space - name);
    return argc >= 2 && strlen(argv[0]) == first && memcmp(argv[0], name, first) == 0 &&
                   strcmp(argv[1], space + 1) == 0
               ? 2
               : 0;
}

/* The word --help, before any "--". */
static bool
help_wanted(int argc, char *argv[])
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}

static bool
repeated(const struct cli *cli, const struct cli_option *option)
{
    unsigned    n     = 0;
    int         i     = 0;
    bool        plain = false;
    struct word word  = word_next(cli, &i, &plain);
    for (; word.kind != WORD_END; word = word_next(cli, &i, &plain)) {
        n += word.kind == WORD_OPTION && word.option == option;
    }
    return n > 1;
}

/* NULL: the line is fine; else what is wrong with it, in `text`. */
static const char *
usage_fault(const struct cli *cli, char text[256])
{
    const struct cli_command *command = cli->command;
    unsigned                  args_n  = 0;
    int                       i       = 0;
    bool                      plain   = false;
    for (;;) {
        const struct word word = word_next(cli, &i, &plain);
        if (word.kind == WORD_END) {
            break;
        }
        if (word.kind == WORD_UNKNOWN) {
            (void)snprintf(text, 256, "there is no option %s", word.text);
            return text;
        }
        if (word.kind == WORD_NO_VALUE || word.kind == WORD_WITH_VALUE) {
            (void)snprintf(text, 256, "option %s%s takes %s", dashes(word.option->name),
                           word.option->name, word.kind == WORD_NO_VALUE ? "a value" : "no value");
            return text;
        }
        if (word.kind == WORD_OPTION && !word.option->many && repeated(cli, word.option)) {
            (void)snprintf(text, 256, "option %s%s stands more than once",
                           dashes(word.option->name), word.option->name);
            return text;
        }
        args_n += word.kind == WORD_ARG;
    }
    if (args_n < command->args_min || args_n > command->args_max) {
        (void)snprintf(text, 256, "%u arguments given, it takes: %s", args_n,
                       command->args[0] == '\0' ? "none" : command->args);
        return text;
    }
    return NULL;
}

static int
command_run(struct cli *cli)
{
    char text[256];
    if (help_wanted(cli->argc, cli->argv)) {
        command_help(cli, stdout);
        return CLI_DONE;
    }
    if (usage_fault(cli, text) != NULL) {
        (void)cli_say(cli, CLI_UNUSABLE, "%s (--help tells more)", text);
        return CLI_UNUSABLE;
    }
    const enum cli_exit code = cli->command->run(cli);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        return (int)cli_say(cli, CLI_UNUSABLE, "cannot write the output: %s",
                            strerrordesc_np(errno));
    }
    return (int)code;
}

int
cli_main(const struct cli_program *program, int argc, char *argv[])
{
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("%s %s\n", program->name, program->version);
        return CLI_DONE;
    }
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        program_help(program, NULL, stdout);
        return CLI_DONE;
    }
    for (const struct cli_command *const *c = program->commands; *c != NULL; c++) {
        const int words = command_words((*c)->name, argc - 1, argv + 1);
        if (words > 0) {
            struct cli cli = {program, *c, argv + 1 + words, argc - 1 - words};
            return command_run(&cli);
        }
    }
    const bool group = argc >= 2 && has_group(program, argv[1]);
    if (group && argc == 3 && strcmp(argv[2], "--help") == 0) {
        program_help(program, argv[1], stdout);
        return CLI_DONE;
    }
    if (argc >= 2) {
        (void)fprintf(stderr, "%s: there is no command %s%s%s\n\n", program->name, argv[1],
                      group && argc >= 3 ? " " : "", group && argc >= 3 ? argv[2] : "");
    }
    program_help(program, group ? argv[1] : NULL, stderr);
    return CLI_UNUSABLE;
}

const char *
cli_arg(const struct cli *cli, unsigned i)
{
    int  at    = 0;
    bool plain = false;
    for (;;) {
        const struct word word = word_next(cli, &at, &plain);
        if (word.kind == WORD_END) {
            return NULL;
        }
        if (word.kind == WORD_ARG && i-- == 0) {
            return word.text;
        }
    }
}

unsigned
cli_args_n(const struct cli *cli)
{
    unsigned n = 0;
    while (cli_arg(cli, n) != NULL) {
        n++;
    }
    return n;
}

/* The i-th time the option stands; its value, or "" for a flag; NULL past the last. */
static const char *
option_at(const struct cli *cli, const char *name, unsigned i)
{
    const struct cli_option *option = option_find(cli->command, name, strlen(name));
    int                      at     = 0;
    bool                     plain  = false;
    TLY_CHECK(option != NULL); /* a command asks only for what its row offers */
    for (;;) {
        const struct word word = word_next(cli, &at, &plain);
        if (word.kind == WORD_END) {
            return NULL;
        }
        if (word.kind == WORD_OPTION && word.option == option && i-- == 0) {
            return word.text == NULL ? "" : word.text;
        }
    }
}

bool
cli_flag(const struct cli *cli, const char *name)
{
    return option_at(cli, name, 0) != NULL;
}

const char *
cli_value(const struct cli *cli, const char *name, const char *initial)
{
    const char *value = option_at(cli, name, 0);
    return value == NULL ? initial : value;
}

const char *
cli_value_at(const struct cli *cli, const char *name, unsigned i)
{
    return option_at(cli, name, i);
}

bool
cli_number(const struct cli *cli, const char *name, uint64_t initial, uint64_t min, uint64_t max,
           uint64_t *out)
{
    const char *text = option_at(cli, name, 0);
    if (text == NULL) {
        *out = initial;
        return true;
    }
    uint64_t v = 0;
    if (!tly_u64_parse(tly_text(text), max, &v) || v < min) {
        (void)cli_say(cli, CLI_UNUSABLE,
                      "option %s%s: \"%s\" is no whole number from %" PRIu64 " to %" PRIu64,
                      dashes(name), name, text, min, max);
        return false;
    }
    *out = v;
    return true;
}

enum cli_exit
cli_say(const struct cli *cli, enum cli_exit code, const char *format, ...)
{
    char    text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)fprintf(stderr, "%s %s: %s\n", cli->program->name, cli->command->name, text);
    return code;
}

enum cli_exit
cli_fail(const struct cli *cli, enum tly_err err, const struct tly_diag *diag)
{
    const bool no = err == TLY_EFORBID || err == TLY_ECONFLICT || err == TLY_ENOKEY;
    return cli_say(cli, no ? CLI_REFUSED : CLI_UNUSABLE, "%s",
                   diag == NULL || diag->text[0] == '\0' ? tly_err_text(err) : diag->text);
}
