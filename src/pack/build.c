/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

bool
build_csv(struct build *b, const char *name, const char *header, struct csv *csv)
{
    const struct part *part = part_find(b->parts, name);
    return part->data != NULL && csv_open(csv, name, part->data, part->len, header, b->faults);
}

struct contest_ix
build_contest_of(const struct build *b, const struct csv *csv, unsigned field)
{
    if (!b->contests_usable) {
        return (struct contest_ix){IX_NONE};
    }
    const struct contest_ix contest = election_contest(b->election, csv->fields[field]);
    if (contest.v == IX_NONE) {
        csv_fault(csv, field, "\"%.80s\" is no contest of contests.csv", csv_text(csv, field));
    }
    return contest;
}
