/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: rows found, options in every place and form, usage errors are 2. */
#include "sys/cli.h"

#include <fcntl.h>
#include <unistd.h>

#include "t.h"

static char     seen[256];
static uint64_t number;

static enum cli_exit
run(const struct cli *cli)
{
    if (!cli_number(cli, "n", 7, 1, 10, &number)) {
        return CLI_UNUSABLE;
    }
    const char *first  = cli_arg(cli, 0);
    const char *second = cli_arg(cli, 1);
    const char *key1   = cli_value_at(cli, "key", 1);
    (void)snprintf(seen, sizeof seen, "%u %s %s %s %s %d", cli_args_n(cli), first,
                   second == NULL ? "-" : second, cli_value(cli, "o", "none"),
                   key1 == NULL ? "-" : key1, cli_flag(cli, "json"));
    return cli_flag(cli, "json") ? CLI_REFUSED : CLI_DONE;
}

static const struct cli_option  options[] = {{"json", NULL, "a flag", false},
                                             {"o", "FILE", "one letter", false},
                                             {"n", "N", "a number", false},
                                             {"key", "FILE", "several", true},
                                             {NULL, NULL, NULL, false}};
static const struct cli_command two_words = {"do this", "A [B]", "two words", "More.",
                                             1,         2,       options,     run};
static const struct cli_command one_word  = {"do", "A", "one word", NULL, 1, 1, NULL, NULL};
static const struct cli_command grouped = {"be good", "", "a group of one", NULL, 0, 0, NULL, run};
static const struct cli_command *const rows[]      = {&two_words, &one_word, &grouped, NULL};
static const struct cli_program        the_program = {"prog", "a program", "1.0", rows};

/* cli_main() with its words; what it prints is not looked at here. */
static int
call(const char *w1, const char *w2, const char *w3, const char *w4, const char *w5, const char *w6)
{
    const char *words[] = {"prog", w1, w2, w3, w4, w5, w6, NULL};
    char        copies[7][64];
    char       *argv[8] = {NULL};
    int         argc    = 0;
    while (words[argc] != NULL) {
        (void)snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
        argc++;
    }
    (void)fflush(stdout);
    const int out   = dup(STDOUT_FILENO);
    const int err   = dup(STDERR_FILENO);
    const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(quiet, STDOUT_FILENO);
    (void)dup2(quiet, STDERR_FILENO);
    seen[0]      = '\0';
    const int rc = cli_main(&the_program, argc, argv);
    (void)fflush(stdout);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    (void)close(out);
    (void)close(err);
    (void)close(quiet);
    return rc;
}

static void
good(void)
{
    T_EQ(call("do", "this", "a", NULL, NULL, NULL), CLI_DONE, "one argument");
    T_STR(seen, "1 a - none - 0", "and defaults");
    T_EQ(number, 7, "of a number");
    T_EQ(call("do", "this", "-o", "f", "a", "b"), CLI_DONE, "an option first");
    T_STR(seen, "2 a b f - 0", "with its value");
    T_EQ(call("do", "this", "a", "-n", "10", NULL), CLI_DONE, "an option last");
    T_EQ(number, 10, "a number");
    T_EQ(call("do", "this", "--key=x", "a", "--key", "y"), CLI_DONE, "both forms");
    T_STR(seen, "1 a - none y 0", "several times");
    T_EQ(call("do", "this", "--json", "a", NULL, NULL), CLI_REFUSED, "a flag; the command's code");
    T_EQ(call("do", "this", "--", "--json", NULL, NULL), CLI_DONE, "-- ends the options");
    T_STR(seen, "1 --json - none - 0", "an argument with dashes");
    T_EQ(call("do", "this", "-", NULL, NULL, NULL), CLI_DONE, "a dash is an argument");
    T_EQ(call("do", "this", "--help", NULL, NULL, NULL), CLI_DONE, "help of a command");
    T_STR(seen, "", "that is not run");
    T_EQ(call("be", "--help", NULL, NULL, NULL, NULL), CLI_DONE, "help of a group");
    T_EQ(call("--help", NULL, NULL, NULL, NULL, NULL), CLI_DONE, "help");
    T_EQ(call("--version", NULL, NULL, NULL, NULL, NULL), CLI_DONE, "version");
}

static void
bad(void)
{
    T_EQ(call(NULL, NULL, NULL, NULL, NULL, NULL), CLI_UNUSABLE, "no command");
    T_EQ(call("undo", NULL, NULL, NULL, NULL, NULL), CLI_UNUSABLE, "an unknown command");
    T_EQ(call("b", "--help", NULL, NULL, NULL, NULL), CLI_UNUSABLE, "the beginning of a group");
    T_EQ(call("be", NULL, NULL, NULL, NULL, NULL), CLI_UNUSABLE, "a group alone");
    T_EQ(call("be", "bad", NULL, NULL, NULL, NULL), CLI_UNUSABLE, "an unknown one of a group");
    T_EQ(call("do", "this", NULL, NULL, NULL, NULL), CLI_UNUSABLE, "too few arguments");
    T_EQ(call("do", "this", "a", "b", "c", NULL), CLI_UNUSABLE, "too many");
    T_EQ(call("do", "this", "a", "--nope", NULL, NULL), CLI_UNUSABLE, "an unknown option");
    T_EQ(call("do", "this", "a", "-key", "x", NULL), CLI_UNUSABLE, "one dash for a long name");
    T_EQ(call("do", "this", "a", "--o", "x", NULL), CLI_UNUSABLE, "two for a letter");
    T_EQ(call("do", "this", "a", "--key", NULL, NULL), CLI_UNUSABLE, "no value");
    T_EQ(call("do", "this", "a", "--json=1", NULL, NULL), CLI_UNUSABLE, "a value for a flag");
    T_EQ(call("do", "this", "a", "--json", "--json", NULL), CLI_UNUSABLE, "a flag twice");
    static const char *const numbers[] = {
        "0", "11", "", "x", "7x", "-1", "+7", " 7", "18446744073709551617"};
    for (unsigned i = 0; i < TLY_N(numbers); i++) {
        T_EQ(call("do", "this", "a", "-n", numbers[i], NULL), CLI_UNUSABLE, numbers[i]);
        T_STR(seen, "", "not run");
    }
}

int
main(void)
{
    good();
    bad();
    return T_DONE();
}
