/*
 * Columns that follow from others, by their fingerprints (profile.h): the same as one, the beginning of one, or what gathers a row of numbered ones.
 */
#include <stdlib.h>

#include "classify/propose.h"
#include "core/memory.h"

/* Fewer rows do not show that columns belong together. */
enum { FEW_ROWS = 20 };

struct print {
    uint64_t fingerprint;
    uint32_t characters; /* that it is of; 0: the whole value */
    uint32_t column;
};

static int compare_prints(const void *a, const void *b)
{
    const struct print *x = a, *y = b;
    return x->fingerprint != y->fingerprint ? (x->fingerprint > y->fingerprint) - (x->fingerprint < y->fingerprint)
           : x->characters != y->characters ? (x->characters > y->characters) - (x->characters < y->characters)
                                            : (x->column > y->column) - (x->column < y->column);
}

/* Whether a column says something when it follows from another. */
static bool may_follow(const struct adg_proposal *proposal, uint32_t c)
{
    return proposal->table->columns[c].filled >= FEW_ROWS && proposal->fields[c].values.distinct >= 2;
}

bool adg_has_comma(const struct adg_column_profile *column)
{
    uint64_t bits = 0;
    for (int i = 0; i < ADG_PROFILE_PLACES; i++) {
        bits |= column->places[i][0];
    }
    return (bits >> ',' & 1) != 0;
}

/* What column c was found to be: the same as an earlier one, else the beginning of the shortest that begins so. */
static void follow(struct adg_proposal *proposal, const struct print *prints, size_t count, uint32_t c)
{
    const struct adg_column_profile *columns = proposal->table->columns;
    uint64_t wanted = columns[c].fingerprint;
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (prints[middle].fingerprint < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    int64_t same = -1, longer = -1;
    for (; low < count && prints[low].fingerprint == wanted; low++) {
        uint32_t other = prints[low].column;
        if (columns[other].filled != columns[c].filled || other == c) {
            continue;
        }
        if (prints[low].characters == 0) {
            same = same < 0 && other < c ? (int64_t)other : same;
        } else if (prints[low].characters == columns[c].longest && columns[other].longest > columns[c].longest &&
                   columns[other].foreign == 0 && !adg_has_comma(&columns[other]) &&
                   (longer < 0 || columns[other].longest < columns[longer].longest)) {
            longer = other;
        }
    }
    proposal->fields[c].derived_from = same >= 0 ? same : longer;
}

/* A row of which only one column ever holds anything is joined to that column: nothing gathers it, and fields would derive from themselves. */
static bool gathers_one(const struct adg_table_profile *table, const struct adg_join *join)
{
    for (uint32_t i = 0; i < join->count; i++) {
        if (table->columns[join->members[i]].fingerprint == join->joined) {
            return true;
        }
    }
    return false;
}

/* Columns that gather others. */
static void find_gatherers(struct adg_proposal *proposal)
{
    const struct adg_table_profile *table = proposal->table;
    for (uint32_t i = 0; i < table->joins.count; i++) {
        const struct adg_join *join = &table->joins.list[i];
        for (uint32_t c = 0; c < table->column_count && !gathers_one(table, join); c++) {
            const struct adg_column_profile *column = &table->columns[c];
            bool joined = column->filled == join->joined_rows && column->fingerprint == join->joined &&
                          adg_has_comma(column);
            bool counted = column->filled == join->counted_rows && column->fingerprint == join->counted;
            if ((joined || counted) && table->joins.join_of[c] != (int32_t)i && may_follow(proposal, c)) {
                proposal->fields[c].gathered = i;
            }
        }
    }
}

enum adg_status adg_propose_followers(struct adg_proposal *proposal, struct adg_error *error)
{
    const struct adg_table_profile *table = proposal->table;
    struct print *prints = adg_alloc_array((size_t)table->column_count * (1 + ADG_PROFILE_PREFIXES), sizeof *prints);
    size_t count = 0;
    if (prints == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t c = 0; c < table->column_count; c++) {
        if (may_follow(proposal, c)) {
            prints[count++] = (struct print){table->columns[c].fingerprint, 0, c};
            for (uint32_t n = 0; n < ADG_PROFILE_PREFIXES && n + 1 < table->columns[c].longest; n++) {
                prints[count++] = (struct print){table->columns[c].prefixes[n], n + 1, c};
            }
        }
    }
    if (count > 0) {
        qsort(prints, count, sizeof *prints, compare_prints);
    }
    for (uint32_t c = 0; c < table->column_count; c++) {
        if (may_follow(proposal, c)) {
            follow(proposal, prints, count, c);
        }
    }
    adg_free(prints);
    find_gatherers(proposal);
    return ADG_OK;
}
