/*
 * Joined columns: see joins.h.
 */
#include "classify/joins.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "classify/profile.h"
#include "core/memory.h"

enum { MOST_DIGITS = 4, MOST_MEMBERS = 1000 };

struct adg_join_row {
    uint64_t hash;   /* of what is joined up to the last value */
    uint32_t values; /* that are no placeholders */
    uint32_t place;  /* of the last value, from 1; 0: none */
};

/* ---- finding ----------------------------------------------------------------------------------------------------- */

/* The number at the end of a name; 0: there is none. *stem is the length of what stands before it. */
static uint32_t number_at_end(const char *name, size_t *stem)
{
    size_t length = strlen(name), digits = 0;
    while (digits < length && digits <= MOST_DIGITS && name[length - digits - 1] >= '0' &&
           name[length - digits - 1] <= '9') {
        digits++;
    }
    *stem = length - digits;
    bool plain = true;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
    }
    return plain && digits > 0 && digits <= MOST_DIGITS && *stem > 0 ? (uint32_t)strtoul(name + *stem, NULL, 10) : 0;
}

/* The columns behind `first`, the number 1, that count on: how many with it. */
static uint32_t count_members(const char *const *names, uint32_t columns, uint32_t first, uint32_t *members)
{
    size_t stem;
    uint32_t count = 1, length = (uint32_t)strlen(names[first]);
    members[0] = first;
    number_at_end(names[first], &stem);
    bool padded = length - stem > 1; /* 01, 02, ..., 10: all of the same length */
    for (uint32_t c = first + 1; c < columns && count < MOST_MEMBERS; c++) {
        size_t other;
        if (number_at_end(names[c], &other) == count + 1 && other == stem &&
            strncasecmp(names[c], names[first], stem) == 0 && (!padded || strlen(names[c]) == length)) {
            members[count++] = c;
        }
    }
    return count;
}

enum adg_status adg_joins_init(struct adg_joins *joins, const char *const *names, uint32_t columns, uint32_t batch_rows,
                               struct adg_error *error)
{
    uint32_t *members = adg_alloc_array(columns, sizeof *members);
    size_t capacity = 0;
    joins->batch_rows = batch_rows;
    joins->join_of = adg_alloc_array(columns, sizeof *joins->join_of);
    enum adg_status status = members == NULL || joins->join_of == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t c = 0; c < columns && status == ADG_OK; c++) {
        joins->join_of[c] = -1;
    }
    for (uint32_t c = 0; c < columns && status == ADG_OK; c++) {
        size_t stem;
        uint32_t count = number_at_end(names[c], &stem) == 1 ? count_members(names, columns, c, members) : 0;
        if (count < 2) {
            continue;
        }
        if (joins->count == capacity) {
            struct adg_join *larger = adg_grow_array(joins->list, &capacity, 16, sizeof *larger);
            if (larger == NULL) {
                status = adg_fail_memory(error);
                break;
            }
            joins->list = larger;
        }
        struct adg_join join = {.count = count, .members = adg_alloc_array(count, sizeof *join.members)};
        if (join.members == NULL) {
            status = adg_fail_memory(error);
            break;
        }
        memcpy(join.members, members, count * sizeof *members);
        for (uint32_t i = 0; i < count; i++) {
            joins->join_of[members[i]] = (int32_t)joins->count;
        }
        joins->list[joins->count++] = join;
    }
    adg_free(members);
    if (status == ADG_OK) {
        joins->rows = adg_alloc_zero((size_t)joins->count * batch_rows, sizeof *joins->rows);
        status = joins->rows == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    return status;
}

void adg_joins_fini(struct adg_joins *joins)
{
    for (uint32_t i = 0; i < joins->count; i++) {
        adg_free(joins->list[i].members);
    }
    adg_free(joins->list);
    adg_free(joins->join_of);
    adg_free(joins->rows);
    *joins = (struct adg_joins){0};
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "-" or "&", with blanks around it or not. */
static bool is_placeholder(struct adg_span text)
{
    size_t first = 0, end = text.size;
    while (first < end && is_blank(text.data[first])) {
        first++;
    }
    while (end > first && is_blank(text.data[end - 1])) {
        end--;
    }
    return end == first || (end - first == 1 && (text.data[first] == '-' || text.data[first] == '&'));
}

void adg_joins_add(struct adg_joins *joins, uint32_t column, uint32_t row, struct adg_span text)
{
    int32_t at = joins->join_of[column];
    if (at < 0) {
        return;
    }
    const struct adg_join *join = &joins->list[at];
    struct adg_join_row *state = &joins->rows[(size_t)at * joins->batch_rows + row];
    static const uint8_t comma = ',';
    uint32_t place = state->place;
    if (place == 0) {
        state->hash = ADG_PROFILE_HASH_START;
    }
    /* the columns that were passed are null: commas without anything */
    for (place = place == 0 ? 1 : place; join->members[place - 1] != column; place++) {
        state->hash = adg_profile_hash_bytes(state->hash, (struct adg_span){&comma, 1});
    }
    state->hash = adg_profile_hash_bytes(state->hash, text);
    state->place = place;
    state->values += !is_placeholder(text);
}

void adg_joins_end_batch(struct adg_joins *joins, uint64_t first, uint32_t rows)
{
    for (uint32_t i = 0; i < joins->count; i++) {
        struct adg_join *join = &joins->list[i];
        struct adg_join_row *states = &joins->rows[(size_t)i * joins->batch_rows];
        for (uint32_t r = 0; r < rows; r++) {
            if (states[r].place > 0) {
                join->joined_rows++;
                join->joined += adg_profile_print(states[r].hash, first + r);
            }
            if (states[r].values > 0) {
                char text[21];
                const struct adg_span number = {(const uint8_t *)text, adg_int64_format(states[r].values, text)};
                join->counted_rows++;
                join->counted += adg_profile_print(adg_profile_hash_bytes(ADG_PROFILE_HASH_START, number), first + r);
            }
            states[r] = (struct adg_join_row){0};
        }
    }
}
