/* SPDX-License-Identifier: Apache-2.0 */
/* A small package written into a folder, whole or with one place changed. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/check.h"

struct package_file {
    const char *name, *text;
};

/* Two cities, one with lists; the areas stand upside down on purpose. */
static const struct package_file definition_files[] = {
    {"areas.csv", "area,parent,level,name_fa,name_en\n"
                  "rey,tehran,city,ری,Rey\n"
                  "qom.c,qom,city,قم,Qom\n"
                  "tehran,ir,province,تهران,Tehran\n"
                  "ir,,country,ایران,Iran\n"
                  "qom,ir,province,\"قم, استان\",\"Qom \"\"province\"\"\"\n"},
    {"ballots.csv", "branch,contest\n"
                    "b1,c.rey\n"
                    "b3,c.qom\n"
                    "b2,c.qom\n"
                    "b2,c.rey\n"},
    {"branches.csv", "branch,area,kind,capacity,name_fa,name_en\n"
                     "b1,rey,fixed,900,شعبه ۱,Branch 1\n"
                     "b2,qom,mobile,,شعبه ۲,Branch 2\n"
                     "b3,qom.c,fixed,500,شعبه ۳,Branch 3\n"},
    {"candidates.csv", "contest,candidate,list,name_fa,name_en\n"
                       "c.rey,1,L1,علی‌اکبر,Ali\n"
                       "c.qom,1,,رضا,Reza\n"
                       "c.rey,2,L1,مریم,Maryam\n"
                       "c.rey,3,,زهرا,Zahra\n"
                       "c.qom,2,,حسن,Hasan\n"},
    {"contests.csv", "contest,area,rule,seats,alternates,max_choices,closes_at,name_fa,name_en\n"
                     "c.qom,qom.c,city,1,1,1,1792182600,قم,Qom\n"
                     "c.rey,rey,tehran,2,1,2,,ری,Rey\n"},
    {"election.json", "{\"format\":\"tally-definition/1\",\"election\":\"e1\",\n"
                      " \"domain\":\"tally.example\",\n"
                      " \"name\":{\"fa\":\"ا\",\"en\":\"E\"},\n"
                      " \"phase\":\"rehearsal\",\"time_zone\":\"Asia/Tehran\",\n"
                      " \"rules\":{\n"
                      "  \"city\":{\"method\":\"block\"},\n"
                      "  \"tehran\":{\"method\":\"list_ir\",\"list_max\":3}},\n"
                      " \"limits\":{\"P01_bp\":301},\n"
                      " \"policy\":{\"root\":2,\"lot\":{\"supervision\":3}}}\n"},
    {"lists.csv", "contest,list,name_fa,name_en\n"
                  "c.rey,L1,امید,Hope\n"
                  "c.rey,L2,آینده,Future\n"},
    {NULL, NULL},
};

/* Two sound Ed25519 keys: RFC 8032 section 7.1, tests 1 to 4. */
#define PACKAGE_KEY_1 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define PACKAGE_KEY_2 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define PACKAGE_KEY_3 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
#define PACKAGE_HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PACKAGE_HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define PACKAGE_HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const struct package_file registry_files[] TLY_UNUSED = {
    {"clients.csv", "client,role,area,certificate,not_before,not_after,name\n"
                    "relay,relay,ir," PACKAGE_HEX_C ",1,2,Relay\n"},
    {"officers.csv", "officer,role,area,signing_key,name\n"
                     "com-1,commission,tehran," PACKAGE_KEY_3 ",One\n"},
    {"terminals.csv", "terminal,branch,signing_key,certificate,not_before,not_after,state\n"
                      "t1,b1," PACKAGE_KEY_1 "," PACKAGE_HEX_A ",1,2,active\n"
                      "t2,," PACKAGE_KEY_2 "," PACKAGE_HEX_B ",1,1,revoked\n"},
    {NULL, NULL},
};

static inline void
package_file_write(const char *dir, const char *name, const char *text, size_t len)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    TLY_CHECK(f != NULL);
    TLY_CHECK(fwrite(text, 1, len, f) == len);
    TLY_CHECK(fclose(f) == 0);
}

/* The files into dir; in file `name` the first `find` becomes `put` (NULL: nothing changes). */
static inline void
package_write(const char *dir, const struct package_file files[], const char *name,
              const char *find, const char *put)
{
    (void)mkdir(dir, 0700);
    for (; files->name != NULL; files++) {
        const char *text = files->text;
        char        changed[8192];
        if (name != NULL && strcmp(files->name, name) == 0) {
            const char *at = strstr(text, find);
            TLY_CHECK(at != NULL);
            (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, put,
                           at + strlen(find));
            text = changed;
        }
        package_file_write(dir, files->name, text, strlen(text));
    }
}
