/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up country on the real provinces: counties, districts, a city each, rural districts,
 * villages.  About half as many contests as branches, as in the real one. */
#include <inttypes.h>
#include <stdlib.h>

#include "make_int.h"

#define COUNTY_BRANCHES   150 /* of one county, about */
#define CITY_SHARE_PCT    40  /* of a county's branches are its cities' */
#define VILLAGES_RURAL    25  /* villages of one rural district */
#define MOBILE_EVERY      30  /* villages, one mobile branch that serves three of them */
#define EXPERTS_EVERY     7   /* provinces, one that elects to a second body the same day */
#define TEHRAN_BRANCH_PCT 75  /* of its province's branches are the city's own */

/* One province while it is being written; contests that its branches report beside their own. */
struct province {
    struct make        *make;
    char                code[16];
    uint32_t            left;    /* branches still to write */
    bool                experts; /* a second contest at every branch */
    struct make_contest second;
    struct make_contest own; /* the city's or village's being written */
    struct make_contest served[3];
    uint32_t            villages_n, cities_n;
};

static void
area(struct make *make, const char *code, const char *parent, const char *level,
     struct make_name name)
{
    (void)fprintf(make->files[MAKE_AREAS], "%s,%s,%s,%s,%s\n", code, parent, level, name.fa,
                  name.en);
    make->areas_n++;
}

static void
branch(struct province *p, const char *in, bool mobile, uint32_t voters,
       const struct make_contest *own, unsigned own_n)
{
    const struct make_contest *contests[4];
    unsigned                   n = 0;
    for (unsigned i = 0; i < own_n; i++) {
        contests[n++] = &own[i];
    }
    if (p->experts) {
        contests[n++] = &p->second;
    }
    make_branch(p->make, in, mobile, voters, contests, n);
    p->left--;
}

/* Main and alternate members of a city by its size (doc/methods.md, block), by the branches it
 * needs here. */
static void
city_seats(uint32_t branches, uint32_t *seats, uint32_t *alternates)
{
    static const struct {
        uint32_t branches, seats, alternates;
    } bands[]  = {{25, 5, 3},   {100, 7, 5},   {250, 9, 6},
                  {500, 11, 7}, {1000, 13, 8}, {UINT32_MAX, 15, 10}};
    unsigned i = 0;
    while (branches > bands[i].branches) {
        i++;
    }
    *seats      = bands[i].seats;
    *alternates = bands[i].alternates;
}

static void
city(struct province *p, const char *district, uint32_t branches)
{
    char     code[CODE_LEN_MAX + 1];
    uint32_t seats, alternates;
    if (branches == 0) {
        return;
    }
    const struct make_name name = make_city_name(p->cities_n + p->make->areas_n);
    (void)snprintf(code, sizeof code, "%s.s%02" PRIu32, district, ++p->cities_n);
    area(p->make, code, district, "city", name);
    city_seats(branches, &seats, &alternates);
    make_block(p->make, &p->own, code, code, "city", seats, alternates,
               seats * 2 + dice_upto(&p->make->dice, seats * 2), name);
    for (uint32_t i = 0; i < branches && p->left > 0; i++) {
        branch(p, code, false, dice_between(&p->make->dice, 500, 2000), &p->own, 1);
    }
}

/* A village with its contest in *contest. */
static void
village(struct province *p, const char *rural, struct make_contest *contest)
{
    char                   code[CODE_LEN_MAX + 1];
    const bool             large = dice_upto(&p->make->dice, 3) == 0;
    const struct make_name name  = make_village_name(p->villages_n + p->make->areas_n);
    (void)snprintf(code, sizeof code, "%s.v%04" PRIu32, rural, ++p->villages_n);
    area(p->make, code, rural, "village", name);
    make_block(p->make, contest, code, code, "village", large ? 5 : 3, large ? 3 : 2,
               (large ? 7 : 5) + dice_upto(&p->make->dice, 3), name);
}

/* Villages with a branch each, and now and then a mobile branch that serves three small ones. */
static void
rural_district(struct province *p, const char *district, uint32_t number, uint32_t branches)
{
    char                   code[CODE_LEN_MAX + 1];
    const struct make_name name = make_village_name(number + p->make->areas_n);
    (void)snprintf(code, sizeof code, "%s.r%02" PRIu32, district, number);
    area(p->make, code, district, "rural_district", name);
    for (uint32_t i = 0; i < branches && p->left > 0; i++) {
        const uint32_t voters = dice_between(&p->make->dice, 60, 900);
        if (dice_upto(&p->make->dice, MOBILE_EVERY - 1) == 0) {
            for (unsigned k = 0; k < 3; k++) {
                village(p, code, &p->served[k]);
            }
            branch(p, code, true, voters, p->served, 3);
        } else {
            village(p, code, &p->own);
            branch(p, code, false, voters, &p->own, 1);
        }
    }
}

static void
county(struct province *p, uint32_t number, uint32_t branches)
{
    char code[32], district[40];
    (void)snprintf(code, sizeof code, "%s.c%02" PRIu32, p->code, number);
    area(p->make, code, p->code, "county", make_city_name(number * 5 + p->make->areas_n));
    (void)snprintf(district, sizeof district, "%s.d1", code);
    area(p->make, district, code, "district", (struct make_name){"بخش مرکزی", "Central district"});
    city(p, district, branches * CITY_SHARE_PCT / 100);
    uint32_t left = branches - branches * CITY_SHARE_PCT / 100;
    for (uint32_t r = 1; left > 0 && p->left > 0; r++) {
        const uint32_t here = left < VILLAGES_RURAL ? left : VILLAGES_RURAL;
        rural_district(p, district, r, here);
        left -= here;
    }
}

/* Tehran, Rey and Tajrish: one constituency of three counties' branches. */
static void
tehran(struct province *p, uint32_t branches)
{
    char           code[32], part[32];
    const uint32_t candidates = 200 + p->make->branches_wanted / 20 < MAKE_CANDIDATES_MAX
                                    ? 200 + p->make->branches_wanted / 20
                                    : MAKE_CANDIDATES_MAX;
    static const struct make_name parts[3] = {
        {"تهران", "Tehran"}, {"ری", "Rey"}, {"شمیرانات", "Shemiranat"}};
    (void)snprintf(code, sizeof code, "%s.tehran", p->code);
    make_tehran(p->make, &p->own, code, p->code, 8, candidates);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(part, sizeof part, "%s.t%u", p->code, i + 1);
        area(p->make, part, p->code, "county", parts[i]);
        const uint32_t here = i == 0 ? branches - branches / 5 * 2 : branches / 5;
        for (uint32_t k = 0; k < here && p->left > 0; k++) {
            branch(p, part, false, dice_between(&p->make->dice, 800, 2500), &p->own, 1);
        }
    }
}

static void
province(struct province *p, uint32_t number, uint32_t branches)
{
    const struct make_name name = make_provinces[number].name;
    (void)snprintf(p->code, sizeof p->code, "p%02" PRIu32, number + 1);
    p->left       = branches;
    p->villages_n = p->cities_n = 0;
    p->experts                  = number % EXPERTS_EVERY == 0 || number == MAKE_TEHRAN;
    area(p->make, p->code, "ir", "province", name);
    if (p->experts) {
        char code[32];
        (void)snprintf(code, sizeof code, "%s.experts", p->code);
        make_block(p->make, &p->second, code, p->code, "experts",
                   2 + make_provinces[number].people / 2000, 0,
                   6 + make_provinces[number].people / 1000, name);
    }
    if (number == MAKE_TEHRAN) {
        tehran(p, branches * TEHRAN_BRANCH_PCT / 100);
    }
    for (uint32_t c = 1; p->left > 0; c++) {
        county(p, c, p->left < COUNTY_BRANCHES * 3 / 2 ? p->left : COUNTY_BRANCHES);
    }
}

/* Branches by residents: whole parts first, then one each from the top of the table until all are
 * given. */
static void
share_out(uint32_t branches, uint32_t shares[MAKE_PROVINCES_N])
{
    uint64_t people = 0;
    uint32_t given  = 0;
    for (uint32_t i = 0; i < MAKE_PROVINCES_N; i++) {
        people += make_provinces[i].people;
    }
    for (uint32_t i = 0; i < MAKE_PROVINCES_N; i++) {
        shares[i] = (uint32_t)((uint64_t)branches * make_provinces[i].people / people);
        given += shares[i];
    }
    for (uint32_t i = 0; given < branches; i = (i + 1) % MAKE_PROVINCES_N, given++) {
        shares[i]++;
    }
}

void
make_country(struct make *make)
{
    static struct province p; /* some 20 KB of opinions: too large for a stack */
    uint32_t               shares[MAKE_PROVINCES_N];
    p = (struct province){.make = make};
    share_out(make->branches_wanted, shares);
    area(make, "ir", "", "country", (struct make_name){"ایران", "Iran"});
    for (uint32_t i = 0; i < MAKE_PROVINCES_N; i++) {
        if (shares[i] > 0) {
            province(&p, i, shares[i]);
        }
    }
}
