/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions: a good one in its right order, and every kind of fault with its place. */
#include "pack/definition.h"

#include "dir.h"
#include "pack/package.h"
#include "package_files.h"
#include "t.h"

static const char      *dir;
static char             at[64];
static struct tly_arena arena;
static struct faults    faults;

static enum tly_err
load(const char *name, const char *find, const char *put, struct election **out)
{
    package_write(at, definition_files, name, find, put);
    tly_arena_done(&arena);
    faults = (struct faults){.arena = &arena};
    return definition_load(at, &arena, out, &faults, NULL);
}

static void
print_faults(void)
{
    for (uint32_t k = 0; k < faults.kept; k++) {
        printf("# %s:%u:%u: %s\n", faults.list[k].file, faults.list[k].line, faults.list[k].column,
               faults.list[k].text);
    }
}

static void
tree(const struct election *e)
{
    T_EQ(e->areas_n, 5, "areas");
    T_STR(e->areas[0].code, "ir", "the root first");
    T_EQ(e->areas[0].parent.v, IX_NONE, "without a parent");
    T_EQ(e->areas[0].children_n, 2, "two provinces");
    for (uint32_t i = 1; i < e->areas_n; i++) {
        T_OK(e->areas[i].parent.v < i, "a parent before its child");
        T_EQ(election_area(e, tly_text(e->areas[i].code)).v, i, "found by its code");
    }
    const struct area_ix qom = election_area(e, tly_text("qom"));
    T_STR(e->areas[qom.v].name.fa, "قم, استان", "a comma in a name");
    T_STR(e->areas[qom.v].name.en, "Qom \"province\"", "quotes in a name");
    T_EQ(e->areas[election_area(e, tly_text("rey")).v].contests_n, 1, "a contest of its own");
    T_OK(election_within(e, election_area(e, tly_text("rey")), (struct area_ix){0}), "in Iran");
}

static void
contests(const struct election *e)
{
    const struct contest_ix rey = election_contest(e, tly_text("c.rey"));
    const struct contest   *c   = &e->contests[rey.v];
    T_EQ(e->contests_n, 2, "contests");
    T_EQ(c->seats, 2, "seats");
    T_OK(!c->has_closes_at, "closes_at may be empty");
    T_OK(e->contests[0].has_closes_at && e->contests[0].closes_at == 1792182600, "or stand");
    T_EQ(c->lists_n, 2, "lists");
    T_EQ(c->candidates_n, 3, "candidates, grouped");
    T_STR(e->candidates[c->candidates_first + 1].code, "2", "in the file's order");
    T_STR(e->candidates[c->candidates_first].name.fa, "علی‌اکبر", "byte for byte");
    T_EQ(e->candidates[c->candidates_first].list.v, c->lists_first, "on the first list");
    T_EQ(e->candidates[c->candidates_first + 2].list.v, IX_NONE, "independent");
    T_EQ(e->lists[c->lists_first].members_n, 2, "members");
    T_EQ(e->options_n, 7, "options");
    T_EQ(c->options_first, 2, "behind those of c.qom");
    T_EQ(election_candidate(e, rey, tly_text("3")).v, c->candidates_first + 2, "by code");
    T_EQ(election_candidate(e, (struct contest_ix){0}, tly_text("3")).v, IX_NONE, "of a contest");
    for (uint32_t i = 0; i < c->slots_n; i++) {
        T_EQ(e->slots[e->contest_slots[c->slots_first + i].v].contest.v, rey.v, "by contest");
    }
}

static void
branches(const struct election *e)
{
    const struct contest_ix rey = election_contest(e, tly_text("c.rey"));
    const struct branch_ix  b2  = election_branch(e, tly_text("b2"));
    T_EQ(e->slots_n, 4, "ballots");
    T_EQ(e->branches[b2.v].kind, BRANCH_MOBILE, "kind");
    T_EQ(e->branches[b2.v].capacity, 0, "capacity unknown");
    T_EQ(e->branches[0].capacity, 900, "capacity known");
    T_EQ(e->branches[b2.v].slots_n, 2, "two contests there");
    T_EQ(e->slots[e->branches[b2.v].slots_first].contest.v, 0, "in the file's order");
    T_OK(election_slot(e, b2, rey).v != IX_NONE, "a slot");
    T_EQ(election_slot(e, (struct branch_ix){0}, (struct contest_ix){0}).v, IX_NONE, "none");
}

static void
head(const struct election *e)
{
    struct tly_hash hash;
    T_STR(e->code, "e1", "election");
    T_STR(e->domain, "tally.example", "domain");
    T_EQ(e->phase, PHASE_REHEARSAL, "phase");
    T_EQ(e->limits.p01_bp, 301, "a limit given");
    T_EQ(e->limits.p02_bp, 300, "limits left out");
    T_EQ(e->limits.p03_abs, 15, "P03_abs");
    T_EQ(e->limits.p07_bp, 10000, "P07 is off");
    T_EQ(e->limits.p08_min, 30, "P08 from 30 ballots on");
    T_EQ(e->policy.root, 2, "root");
    T_EQ(e->policy.kinds[POLICY_LOT].n[OFFICER_SUPERVISION], 3, "a quorum given");
    T_EQ(e->policy.kinds[POLICY_LOT].n[OFFICER_COMMISSION], 0, "replaces the default whole");
    T_EQ(e->policy.kinds[POLICY_CERTIFY].n[OFFICER_COMMISSION], 2, "a default");
    T_EQ(e->policy.kinds[POLICY_KEY].n[OFFICER_OPERATOR], 1, "another");
    const struct rule *rule = &e->rules[e->contests[1].rule];
    T_STR(rule->code, "tehran", "rule");
    const int list_max = method_param_find(rule->method, tly_text("list_max"));
    T_EQ(rule->params[list_max], 3, "a parameter given");
    T_EQ(package_hash(at, PACKAGE_DEFINITION, &hash, NULL), TLY_OK, "hashed by itself");
    T_OK(tly_hash_eq(&hash, &e->definition), "the same hash");
}

/* One change: where the fault is, and what its sentence says. */
static const struct fault_case {
    const char *file, *find, *put;
    const char *in; /* NULL: file */
    uint32_t    line, column;
    const char *says;
} cases[] = {
    {"areas.csv", "qom.c,qom", "qom c,qom", NULL, 3, 1, "no code"},
    {"areas.csv", "tehran,city", "teheran,city", NULL, 2, 5, "is no area of this file"},
    {"areas.csv", "ir,,country", "ir,qom,country", NULL, 0, 0, "no area is the root"},
    {"areas.csv", "qom,ir,province", "qom,,province", NULL, 6, 5, "the root is \"ir\" in line 5"},
    {"areas.csv", "tehran,city", "tehran,town", NULL, 2, 12, "none of country province"},
    {"areas.csv", "rey,tehran,city", "rey,tehran,province", NULL, 2, 12, "cannot lie in"},
    {"areas.csv", "rey,tehran,city,", "rey,tehran,country,", NULL, 2, 12, "cannot lie in"},
    {"areas.csv", "qom.c,qom,city", "rey,qom,city", NULL, 3, 1, "stands in line 2 already"},
    {"contests.csv", "c.qom,qom.c", "c.qom,qom.x", NULL, 2, 7, "no area of areas.csv"},
    {"contests.csv", "rey,tehran", "rey,teheran", NULL, 3, 11, "no rule of election.json"},
    {"contests.csv", "tehran,2,", "tehran,0,", NULL, 3, 18, "from 1 to"},
    {"contests.csv", "tehran,2,", "tehran,10001,", NULL, 3, 18, "no whole number from 1 to 10000"},
    {"contests.csv", "2,1,2,,", "2,-1,2,,", NULL, 3, 20, "alternates"},
    {"contests.csv", "2,1,2,,", "2,10001,2,,", NULL, 3, 20, "no whole number from 0 to 10000"},
    {"contests.csv", "2,1,2,,", "2,1,9223372036854775808,,", NULL, 3, 22, "max_choices"},
    {"contests.csv", "c.rey,rey", "c.qom,rey", NULL, 3, 1, "stands in line 2 already"},
    {"contests.csv", "tehran,2,", "tehran,-2,", NULL, 3, 18, "no whole number"},
    {"contests.csv", "tehran,2,", "tehran,02,", NULL, 3, 18, "no leading zero"},
    {"contests.csv", "tehran,2,", "tehran,,", NULL, 3, 18, "no whole number"},
    {"contests.csv", "tehran,2,", "tehran,18446744073709551616,", NULL, 3, 18, "no whole number"},
    {"contests.csv", "2,1,2,,", "2,1,0,,", NULL, 3, 22, "max_choices"},
    {"contests.csv", "1792182600", "1099511627776", NULL, 2, 24, "1099511627775"},
    {"lists.csv", "c.rey,L2", "c.rey,L1", NULL, 3, 7, "stands in line 2 already"},
    {"lists.csv", "c.rey,L2", "c.ray,L2", NULL, 3, 1, "no contest of contests.csv"},
    {"lists.csv", "L2,آینده,Future\n", "L2,آینده\n", NULL, 3, 1, "too few fields"},
    {"candidates.csv", "c.rey,2", "c.rey,1", NULL, 4, 7, "stands in line 2 already"},
    {"candidates.csv", "c.rey,2,L1", "c.rey,2,L9", NULL, 4, 9, "no list of contest \"c.rey\""},
    {"candidates.csv", "c.qom,1,", "c.qom,1,L2", NULL, 3, 9, "is a list of contest \"c.rey\", not"},
    {"candidates.csv", "c.qom,1,", "c.x,1,", NULL, 3, 1, "no contest"},
    {"branches.csv", "b2,qom,mobile", "b1,qom,mobile", NULL, 3, 1, "stands in line 2 already"},
    {"branches.csv", "rey,fixed", "ray,fixed", NULL, 2, 4, "no area of areas.csv"},
    {"branches.csv", "mobile", "moving", NULL, 3, 8, "neither fixed nor mobile"},
    {"branches.csv", "900", "2147483648", NULL, 2, 14, "2147483647"},
    {"branches.csv", "900", "0", NULL, 2, 14, "from 1 to"},
    {"ballots.csv", "b3,c.qom\n", "b3,c.qom\nb3,c.qom\n", NULL, 4, 1, "stands twice"},
    {"ballots.csv", "b3,c.qom\n", "", "branches.csv", 4, 1, "\"b3\" has no contest"},
    {"ballots.csv", "b1,c.rey\n", "b1,c.rey\nb9,c.rey\n", NULL, 3, 1, "no branch"},
    {"ballots.csv", "b1,c.rey\n", "b1,c.rey\nb1,c.x\n", NULL, 3, 4, "no contest"},
    {"election.json", "\"domain\"", "\"domian\":1,\"domain\"", NULL, 2, 2, "domian is no key"},
    {"election.json", "definition/1", "definition/2", NULL, 1, 2, "tally-definition/1"},
    {"election.json", "\"e1\"", "\"e 1\"", NULL, 1, 32, "election \"e 1\" is no code"},
    {"election.json", "\"e1\"", "1", NULL, 1, 32, "election must be a text"},
    {"election.json", "\"e1\"", "\"\"", NULL, 1, 32, "election \"\" is no code"},
    {"election.json", "tally-definition/1", "", NULL, 1, 2, "format is \"\""},
    {"election.json", "tally.example", "", NULL, 2, 2, "\"\" is no domain name"},
    {"election.json", "Asia/Tehran", "", NULL, 4, 22, "\"\" is no time zone"},
    {"election.json", "\"rehearsal\"", "\"\"", NULL, 4, 2, "\"rehearsal\" or \"official\""},
    {"election.json", "tally.example", "tally example", NULL, 2, 2, "no domain name"},
    {"election.json", "\"rehearsal\"", "\"test\"", NULL, 4, 2, "\"rehearsal\" or \"official\""},
    {"election.json", ",\"en\":\"E\"", "", NULL, 3, 2, "name.en must be a text"},
    {"election.json", "\"en\":\"E\"", "\"en\":\"E\",\"de\":\"\"", NULL, 3, 29, "name.de is no key"},
    {"election.json", "301", "10001", NULL, 8, 12, "whole number from 0 to 10000"},
    {"election.json", "301", "3.0", NULL, 8, 12, "limits.P01_bp must be a whole number"},
    {"election.json", "P01_bp", "P1_bp", NULL, 8, 12, "limits.P1_bp is no key"},
    {"election.json", "\"root\":2", "\"root\":0", NULL, 9, 12, "policy.root"},
    {"election.json", "\"supervision\":3", "\"supervision\":5", NULL, 9, 28, "from 0 to 4"},
    {"election.json", "\"supervision\":3", "\"supervisor\":3", NULL, 9, 28, "is no role"},
    {"election.json", "\"supervision\":3", "\"supervision\":0", NULL, 9, 21, "must be 1 to 4"},
    {"election.json", "\"lot\"", "\"lots\"", NULL, 9, 21, "policy.lots is no key"},
    {"election.json", "\"list_max\":3", "\"list_max\":\"3\"", NULL, 7, 32, "rules.tehran.list_max"},
    {"election.json", "\"list_max\":3", "\"threshold_bp\":10001", NULL, 7, 32,
     "rules.tehran.threshold_bp must be a whole number from 0 to 10000"},
    {"election.json", "\"list_max\":3", "\"threshold_bp\":-1", NULL, 7, 32,
     "rules.tehran.threshold_bp"},
    {"election.json", "\"list_max\":3", "\"threshold_bp\":5.5", NULL, 7, 32,
     "rules.tehran.threshold_bp"},
    {"election.json", "\"list_max\":3", "\"threshold_rule\":\"plain\"", NULL, 7, 32, "is no key"},
    {"election.json", "\"list_ir\",\"list_max\":3", "\"dhondt\",\"threshold_bp\":10001", NULL, 7,
     31, "rules.tehran.threshold_bp must be a whole number from 0 to 10000"},
    {"election.json", "\"list_ir\",\"list_max\":3", "\"dhondt\",\"threshold_rule\":\"scaled\"",
     NULL, 7, 31, "rules.tehran.threshold_rule"},
    {"election.json", "\"list_ir\",\"list_max\":3", "\"hare_lr\",\"equal_quotients\":1", NULL, 7,
     32, "rules.tehran.equal_quotients"},
    {"election.json", "\"list_max\":3", "\"list_most\":3", NULL, 7, 32, "is no key"},
    {"election.json", "\"list_max\":3", "\"list_max\":1", "lists.csv", 2, 1, "has 2 candidates"},
    {"election.json", "\"list_max\":3", "\"list_min\":1", "lists.csv", 3, 1, "has 0 candidates"},
    {"election.json", "\"list_max\":3", "\"base\":\"voters\"", NULL, 7, 32,
     "must be one of votes, ballots_x_seats"},
    {"election.json", "\"list_max\":3", "\"list_plus_individual\":0", NULL, 7, 32, "true or false"},
    {"election.json", "\"block\"", "\"blocks\"", NULL, 6, 11, "it must be one of"},
    {"election.json", "\"city\"", "\"tehran\":{},\"city\"", NULL, 7, 10, "duplicate"},
    {"election.json", "301},", "301}", NULL, 9, 9, "is no JSON"},
};

static void
one_fault_each(void)
{
    for (unsigned i = 0; i < TLY_N(cases); i++) {
        const struct fault_case *c = &cases[i];
        struct election         *e = NULL;
        char                     what[160];
        (void)snprintf(what, sizeof what, "%s: %s", c->file, c->put);
        T_EQ(load(c->file, c->find, c->put, &e), TLY_EINPUT, what);
        T_OK(e == NULL, "output untouched");
        bool found = false;
        for (uint32_t k = 0; k < faults.kept; k++) {
            const struct fault *f = &faults.list[k];
            found                 = found ||
                    (strcmp(f->file, c->in == NULL ? c->file : c->in) == 0 && f->line == c->line &&
                     f->column == c->column && strstr(f->text, c->says) != NULL);
        }
        if (!T_OK(found, c->says)) {
            print_faults();
        }
    }
}

static void
cycles(void)
{
    struct election *e      = NULL;
    bool             cycle  = false;
    bool             turned = false;
    T_EQ(load("areas.csv", "tehran,ir,province,", "tehran,rey,province,", &e), TLY_EINPUT,
         "a cycle");
    for (uint32_t k = 0; k < faults.kept; k++) {
        cycle  = cycle || strstr(faults.list[k].text, "(a cycle)") != NULL;
        turned = turned || strstr(faults.list[k].text, "cannot lie in") != NULL;
    }
    T_OK(cycle, "is named");
    T_OK(turned, "and its levels are turned round");
    T_EQ(load("areas.csv", "rey,tehran,", "rey,rey,", &e), TLY_EINPUT, "its own parent");
}

/* 65 contests at one branch, and nobody who stands for the new ones. */
static void
too_many_contests(void)
{
    struct election *e = NULL;
    char             rows[4000];
    char             ballots[2000] = "branch,contest\n";
    size_t           c = (size_t)snprintf(rows, sizeof rows, "\nc.qom,qom.c,city,1,1,1,,,\n");
    size_t           b = strlen(ballots);
    for (int i = 0; i < ELECTION_BRANCH_CONTESTS_MAX; i++) {
        c += (size_t)snprintf(rows + c, sizeof rows - c, "x%d,ir,city,1,0,1,,,\n", i);
        b += (size_t)snprintf(ballots + b, sizeof ballots - b, "b2,x%d\n", i);
    }
    b += (size_t)snprintf(ballots + b, sizeof ballots - b, "b2,c.qom\nb1,c.rey\nb3,c.qom\n");
    package_write(at, definition_files, "contests.csv",
                  "\nc.qom,qom.c,city,1,1,1,1792182600,قم,Qom\n", rows);
    package_file_write(at, "ballots.csv", ballots, b);
    tly_arena_done(&arena);
    faults = (struct faults){.arena = &arena};
    T_EQ(definition_load(at, &arena, &e, &faults, NULL), TLY_EINPUT, "too many contests");
    unsigned nobody = 0;
    unsigned over   = 0;
    for (uint32_t k = 0; k < faults.kept; k++) {
        nobody += strstr(faults.list[k].text, "has no candidate and no list") != NULL;
        over += strstr(faults.list[k].text, "more than 64 contests") != NULL;
    }
    T_EQ(nobody, ELECTION_BRANCH_CONTESTS_MAX, "nobody stands for the new ones");
    T_EQ(over, 1, "the 65th is one too many");
    T_EQ(faults.n, ELECTION_BRANCH_CONTESTS_MAX + 1, "and nothing else is wrong");
}

/* Files of nothing, and of a header alone. */
static void
empty_files(void)
{
    static const struct {
        const char *name, *says; /* of the header alone; NULL: that may be */
    } table[] = {
        {"areas.csv", "no area is the root"},   {"contests.csv", "there is no contest"},
        {"lists.csv", "is no list of"},         {"candidates.csv", "no candidate"},
        {"branches.csv", "there is no branch"}, {"ballots.csv", "has no contest"},
    };
    for (unsigned i = 0; i < TLY_N(table); i++) {
        const struct package_file *file = definition_files;
        while (strcmp(file->name, table[i].name) != 0) {
            file++;
        }
        for (unsigned header = 0; header < 2; header++) {
            struct election *e     = NULL;
            bool             found = false;
            package_write(at, definition_files, NULL, NULL, NULL);
            package_file_write(at, table[i].name, file->text,
                               header ? strcspn(file->text, "\n") + 1 : 0);
            tly_arena_done(&arena);
            faults = (struct faults){.arena = &arena};
            T_EQ(definition_load(at, &arena, &e, &faults, NULL), TLY_EINPUT, table[i].name);
            for (uint32_t k = 0; k < faults.kept; k++) {
                const struct fault *f = &faults.list[k];
                found                 = found || (header ? strstr(f->text, table[i].says) != NULL
                                                         : strcmp(f->file, table[i].name) == 0);
            }
            if (!T_OK(found, header ? "a header alone: said" : "an empty file: named")) {
                print_faults();
            }
        }
    }
    struct election *e = NULL;
    package_write(at, definition_files, NULL, NULL, NULL);
    package_file_write(at, "election.json", "", 0);
    tly_arena_done(&arena);
    faults = (struct faults){.arena = &arena};
    T_EQ(definition_load(at, &arena, &e, &faults, NULL), TLY_EINPUT, "an empty election.json");
    T_OK(faults.kept > 0 && strcmp(faults.list[0].file, "election.json") == 0, "is named");
    print_faults();
}

/* Fewer stand than there are places: that is for the count to say (vacancies), not a fault. */
static void
few_candidates(void)
{
    struct election *e = NULL;
    T_EQ(load("contests.csv", "tehran,2,1,2", "tehran,21,11,21", &e), TLY_OK,
         "more seats and alternates than candidates");
    T_OK(e != NULL && e->contests[1].seats == 21 && e->contests[1].alternates == 11, "as told");
}

static void
files(void)
{
    struct election *e    = NULL;
    struct tly_diag  diag = {0};
    char             path[128];
    T_EQ(load(NULL, NULL, NULL, &e), TLY_OK, "whole again");
    (void)snprintf(path, sizeof path, "%s/lists.csv", at);
    (void)unlink(path);
    package_file_write(at, "notes.txt", "x", 1);
    faults = (struct faults){.arena = &arena};
    T_EQ(definition_load(at, &arena, &e, &faults, NULL), TLY_EINPUT, "one missing, one too many");
    T_EQ(faults.n, 2, "two faults, not one for each candidate on a list");
    (void)snprintf(path, sizeof path, "%s/notes.txt", at);
    (void)unlink(path);
    faults = (struct faults){.arena = &arena};
    T_EQ(definition_load("/nonexistent", &arena, &e, &faults, &diag), TLY_EIO, "no folder");
    T_OK(strstr(diag.text, "/nonexistent") != NULL, "it is named");
}

static void
memory(void)
{
    struct election *e = NULL;
    package_write(at, definition_files, NULL, NULL, NULL);
    bool fits = false;
    for (size_t room = 0; room < 60000 && !fits; room += 256) {
        struct tly_arena small = {.bytes_max = room};
        faults                 = (struct faults){.arena = &arena};
        const enum tly_err err = definition_load(at, &small, &e, &faults, NULL);
        fits                   = err == TLY_OK;
        T_OK(fits || err == TLY_ENOMEM, "no room: said so");
        T_EQ(faults.n, 0, "and no fault of the package");
        tly_arena_done(&small);
    }
    T_OK(fits, "in 60 KB");
}

int
main(void)
{
    struct election *e = NULL;
    dir                = t_dir();
    (void)snprintf(at, sizeof at, "%s/d", dir);
    tly_arena_init(&arena, (size_t)64 << 20);
    T_EQ(load(NULL, NULL, NULL, &e), TLY_OK, "a good definition");
    print_faults();
    TLY_CHECK(e != NULL);
    tree(e);
    contests(e);
    branches(e);
    head(e);
    one_fault_each();
    cycles();
    too_many_contests();
    empty_files();
    few_candidates();
    files();
    memory();
    tly_arena_done(&arena);
    return T_DONE();
}
