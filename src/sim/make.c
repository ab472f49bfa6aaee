/* SPDX-License-Identifier: Apache-2.0 */
/* tallysim make: a rehearsal election, DIR/definition and DIR/counts.csv. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd.h"
#include "make_int.h"
#include "sys/file.h"

#define BRANCHES_MIN 100
#define BRANCHES_MAX 200000

static const struct cli_option options[] = {
    {"branches", "N", "how many branches, 100 to 200000 (default: 2000)", false},
    {"seed", "S", "the same seed gives the same bytes (default: 1)", false},
    {NULL},
};

/* In the order of enum make_file. */
static const struct {
    const char *name, *head;
} files[MAKE_FILES_N] = {
    {"definition/areas.csv", "area,parent,level,name_fa,name_en"},
    {"definition/contests.csv",
     "contest,area,rule,seats,alternates,max_choices,closes_at,name_fa,name_en"},
    {"definition/lists.csv", "contest,list,name_fa,name_en"},
    {"definition/candidates.csv", "contest,candidate,list,name_fa,name_en"},
    {"definition/branches.csv", "branch,area,kind,capacity,name_fa,name_en"},
    {"definition/ballots.csv", "branch,contest"},
    {"counts.csv", "branch,contest,field,code,value"},
};

static const char election_json[] =
    "{\"format\":\"tally-definition/1\",\"election\":\"ir-rehearsal-%" PRIu64
    "\",\"domain\":\"tally.example\",\n"
    " \"name\":{\"fa\":\"رزمایش انتخابات شوراها\",\"en\":\"Rehearsal of the council elections\"},\n"
    " \"phase\":\"rehearsal\",\"time_zone\":\"Asia/Tehran\",\n"
    " \"rules\":{\"city\":{\"method\":\"block\"},\"village\":{\"method\":\"block\"},\"experts\":{"
    "\"method\":\"block\"},\n"
    "  "
    "\"tehran\":{\"method\":\"list_ir\",\"base\":\"votes\",\"first_round\":\"round_half_up\","
    "\"remainder\":\"highest_share\",\n"
    "   "
    "\"remainder_pool\":\"lists_and_indep\",\"over_rule\":\"lowest_share\",\"cursor\":\"restart\","
    "\"threshold_bp\":0,\n"
    "   "
    "\"list_min\":0,\"list_max\":21,\"list_plus_individual\":false,\"alternates_rule\":\"overall_"
    "next\"}},\n"
    " \"limits\":{\"P01_bp\":300,\"P02_bp\":300,\"P03_bp\":200,\"P03_abs\":15,\"P05_bp\":9900,"
    "\"P06_bp\":2000,\"N08_missing_bp\":200},\n"
    " \"policy\":{\"root\":1,\"release\":{\"commission\":1,\"supervision\":1},\"explain\":{"
    "\"commission\":1},\n"
    "  "
    "\"annul\":{\"supervision\":2},\"reinstate\":{\"supervision\":2},\"lot\":{\"commission\":1,"
    "\"supervision\":1},\n"
    "  "
    "\"exclude\":{\"commission\":1,\"supervision\":1},\"key\":{\"operator\":1,\"commission\":1},\n"
    "  "
    "\"state\":{\"operator\":1,\"commission\":1},\"certify\":{\"commission\":2,\"supervision\":1},"
    "\n"
    "  \"revise\":{\"supervision\":1},\"publish_min_ballots\":0}}\n";

/* A new file below the folder: an old package is never written over. */
static enum tly_err
create(const char *dir, const char *name, FILE **out, struct tly_diag *diag)
{
    char path[FILE_PATH_SIZE];
    file_path(path, "%s/%s", dir, name);
    *out = fopen(path, "wxe");
    if (*out == NULL && errno == EEXIST) {
        return tly_fail(diag, TLY_ECONFLICT, "%s: is there already and is not overwritten", path);
    }
    return *out != NULL ? TLY_OK : tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
}

static enum tly_err
open_files(struct make *make, const char *dir, uint64_t seed, struct tly_diag *diag)
{
    char  folder[FILE_PATH_SIZE];
    FILE *json = NULL;
    file_path(folder, "%s/definition", dir);
    enum tly_err err = file_mkdirs(folder, 0755, diag);
    if (err == TLY_OK) {
        err = create(dir, "definition/election.json", &json, diag);
    }
    if (err == TLY_OK) {
        (void)fprintf(json, election_json, seed);
        if (fclose(json) != 0) {
            err = tly_fail(diag, TLY_EIO, "%s: %s", dir, strerrordesc_np(errno));
        }
    }
    for (unsigned i = 0; i < MAKE_FILES_N && err == TLY_OK; i++) {
        err = create(dir, files[i].name, &make->files[i], diag);
        if (err == TLY_OK) {
            (void)fprintf(make->files[i], "%s\n", files[i].head);
        }
    }
    return err;
}

static enum tly_err
close_files(struct make *make, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    for (unsigned i = 0; i < MAKE_FILES_N; i++) {
        if (make->files[i] == NULL) {
            continue;
        }
        const bool bad = ferror(make->files[i]) != 0;
        if (fclose(make->files[i]) != 0 || bad) {
            err = tly_fail(diag, TLY_EIO, "%s: cannot be written: %s", files[i].name,
                           strerrordesc_np(errno));
        }
    }
    return err;
}

static enum cli_exit
run(const struct cli *cli)
{
    uint64_t        branches, seed;
    struct tly_diag diag = {0};
    if (!cli_number(cli, "branches", 2000, BRANCHES_MIN, BRANCHES_MAX, &branches) ||
        !cli_number(cli, "seed", 1, 0, UINT32_MAX, &seed)) {
        return CLI_UNUSABLE;
    }
    struct make  make = {.dice = {seed}, .branches_wanted = (uint32_t)branches};
    enum tly_err err  = open_files(&make, cli_arg(cli, 0), seed, &diag);
    if (err == TLY_OK) {
        make_country(&make);
    }
    const enum tly_err closed = close_files(&make, err == TLY_OK ? &diag : NULL);
    if (err != TLY_OK || closed != TLY_OK) {
        return cli_fail(cli, err != TLY_OK ? err : closed, &diag);
    }
    (void)printf("%s: %" PRIu32 " areas, %" PRIu32 " contests, %" PRIu32 " candidates, %" PRIu32
                 " branches\n",
                 cli_arg(cli, 0), make.areas_n, make.contests_n, make.candidates_n,
                 make.branches_n);
    return CLI_DONE;
}

const struct cli_command sim_make = {
    .name    = "make",
    .args    = "DIR",
    .summary = "make a rehearsal election: DIR/definition and DIR/counts.csv",
    .more = "31 provinces, counties, cities and villages with block contests, Tehran with a list "
            "contest, a second\n"
            "body in some provinces, mobile branches.  Names repeat.  Then: tallysim enrol DIR.\n"
            "Never writes over an election: after a break, remove DIR first.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
