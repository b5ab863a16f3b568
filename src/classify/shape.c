/*
 * Patterns of identifiers: see shape.h.
 */
#include "classify/shape.h"

#include <stdio.h>
#include <string.h>

enum { NOBODYS = 1000, MOST_PLACES = 64, MIXED = 100, HEXADECIMAL_PLACES = 8 };

struct set {
    uint64_t bits[2];
};

/* Classes from the narrowest to the widest. Hexadecimal digits are no class of a place, only of all places together. */
static const struct class
{
    const char *text;
    const char *ranges; /* pairs of first and last */
    int size;
    bool whole; /* of all places */
} classes[] = {
    {"\\d", "09", 10, false},        {"[0-9A-F]", "09AF", 16, true},  {"[0-9a-f]", "09af", 16, true},
    {"[A-Z]", "AZ", 26, false},      {"[a-z]", "az", 26, false},      {"[0-9A-Z]", "09AZ", 36, false},
    {"[0-9a-z]", "09az", 36, false}, {"[a-zA-Z]", "azAZ", 52, false}, {"[0-9a-zA-Z]", "09azAZ", 62, false},
};
enum { CLASSES = sizeof classes / sizeof classes[0], CAPITALS_AND_DIGITS = 5, ANY = CLASSES - 1 };

static bool holds(struct set set, int c)
{
    return (set.bits[c / 64] >> c % 64 & 1) != 0;
}

static struct set join(struct set a, struct set b)
{
    return (struct set){{a.bits[0] | b.bits[0], a.bits[1] | b.bits[1]}};
}

static struct set class_set(int class)
{
    struct set set = {{0, 0}};
    for (const char *range = classes[class].ranges; *range != '\0'; range += 2) {
        for (int c = range[0]; c <= range[1]; c++) {
            set.bits[c / 64] |= UINT64_C(1) << c % 64;
        }
    }
    return set;
}

/* The letters and digits of a set alone. */
static struct set without_marks(struct set set)
{
    struct set all = class_set(ANY);
    return (struct set){{set.bits[0] & all.bits[0], set.bits[1] & all.bits[1]}};
}

static bool is_empty(struct set set)
{
    return (set.bits[0] | set.bits[1]) == 0;
}

static int class_of(struct set set, bool whole)
{
    struct set plain = without_marks(set);
    for (int i = 0; i < CLASSES; i++) {
        struct set class = class_set(i);
        if ((whole || !classes[i].whole) && (plain.bits[0] & ~class.bits[0]) == 0 &&
            (plain.bits[1] & ~class.bits[1]) == 0) {
            return i;
        }
    }
    return ANY;
}

/* The only character of a set, or -1. */
static int single(struct set set)
{
    int found = -1;
    for (int c = ' '; c < 127; c++) {
        if (holds(set, c)) {
            if (found >= 0) {
                return -1;
            }
            found = c;
        }
    }
    return found;
}

static bool is_plain(int c)
{
    return holds(class_set(ANY), c);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* A pattern in the making: runs of one class are gathered. */
struct writer {
    struct adg_shape *shape;
    size_t length;
    int class, run;
};

static void put(struct writer *writer, const char *text)
{
    size_t size = strlen(text);
    if (writer->length + size < sizeof writer->shape->pattern) {
        memcpy(writer->shape->pattern + writer->length, text, size + 1);
        writer->length += size;
    }
}

static void multiply(struct adg_shape *shape, double choices, int times)
{
    for (int i = 0; i < times && shape->strings < 1e300; i++) {
        shape->strings *= choices;
    }
}

static void end_run(struct writer *writer)
{
    char text[32];
    if (writer->run > 0) {
        put(writer, classes[writer->class].text);
        if (writer->run > 1) {
            snprintf(text, sizeof text, "{%d}", writer->run);
            put(writer, text);
        }
        multiply(writer->shape, classes[writer->class].size, writer->run);
    }
    writer->run = 0;
}

static void put_class(struct writer *writer, int class)
{
    if (class != writer->class) {
        end_run(writer);
    }
    writer->class = class;
    writer->run++;
}

static void put_literal(struct writer *writer, int c)
{
    const char text[3] = {'\\', (char)c, '\0'};
    end_run(writer);
    put(writer, is_plain(c) || c == ' ' ? text + 1 : text);
}

static struct set place(const struct adg_column_profile *column, uint32_t at)
{
    struct set set = {{0, 0}};
    if (at < ADG_PROFILE_PLACES) {
        memcpy(set.bits, column->places[at], sizeof set.bits);
    }
    return set;
}

/* All letters and digits behind what the values begin with: an identifier of hexadecimal digits has them at every place, and few values of a mixed
 * one do not show that. */
static struct set common_set(const struct adg_column_profile *column, uint32_t from, uint32_t to)
{
    struct set set = {{0, 0}};
    for (uint32_t i = from; i < to; i++) {
        set = join(set, place(column, i));
    }
    return without_marks(set);
}

static void write_text(const struct adg_column_profile *column, uint64_t distinct, struct adg_shape *out)
{
    struct writer writer = {.shape = out, .class = -1};
    uint32_t shortest = column->shortest < MOST_PLACES ? column->shortest : MOST_PLACES,
             longest = column->longest < MOST_PLACES ? column->longest : MOST_PLACES, at = 0;
    *out = (struct adg_shape){.type = ADG_TYPE_STRING, .strings = 1};
    while (distinct >= NOBODYS && at < shortest && at < ADG_PROFILE_PLACES && single(place(column, at)) >= 0) {
        put_literal(&writer, single(place(column, at++)));
    }
    struct set common = common_set(column, at, shortest);
    int class = class_of(common, shortest >= at + HEXADECIMAL_PLACES);
    bool hexadecimal = classes[class].whole;
    bool mixed = shortest >= at + HEXADECIMAL_PLACES && distinct < MIXED && class >= CAPITALS_AND_DIGITS;
    for (; at < shortest; at++) {
        struct set set = place(column, at);
        int mark = single(set);
        if (mark >= 0 && !is_plain(mark)) {
            put_literal(&writer, mark);
        } else {
            put_class(&writer, hexadecimal || mixed || is_empty(without_marks(set)) ? class : class_of(set, false));
        }
    }
    if (longest > shortest) {
        struct set tail = common_set(column, shortest, longest);
        int tail_class = is_empty(tail) ? ANY : class_of(tail, hexadecimal);
        char text[48];
        end_run(&writer);
        snprintf(text, sizeof text, "%s{0,%u}", classes[tail_class].text, longest - shortest);
        put(&writer, text);
        multiply(out, classes[tail_class].size, (int)(longest - shortest));
    }
    end_run(&writer);
}

/* `first`: the pattern of the first digit. */
static void write_digits(const char *first, int digit_count, bool number, struct adg_shape *out)
{
    enum { INT32_DIGITS = 9, INT64_DIGITS = 18 };
    bool any = strcmp(first, "\\d") == 0;
    *out = (struct adg_shape){.strings = any ? 10 : 9};
    multiply(out, 10, digit_count - 1);
    out->type = !number || digit_count > INT64_DIGITS ? ADG_TYPE_STRING
                : digit_count > INT32_DIGITS          ? ADG_TYPE_INT64
                                                      : ADG_TYPE_INT32;
    if (any) {
        snprintf(out->pattern, sizeof out->pattern, "\\d{%d}", digit_count);
    } else if (digit_count == 1) {
        snprintf(out->pattern, sizeof out->pattern, "%s", first);
    } else {
        snprintf(out->pattern, sizeof out->pattern, "%s\\d{%d}", first, digit_count - 1);
    }
}

/* Room for as many as are needed: more digits, or letters of both kinds at as many places as it takes. */
static void widen(const struct adg_column_profile *column, double needed, struct adg_shape *out)
{
    double strings = 1;
    int places = 0, least = column->longest < MOST_PLACES ? (int)column->longest : MOST_PLACES;
    bool number = out->type != ADG_TYPE_STRING, digits = number || column->whole == column->filled;
    double choices = digits ? 10 : classes[CAPITALS_AND_DIGITS].size;
    while (strings < needed || places < least) {
        strings *= choices;
        places++;
    }
    if (digits) {
        write_digits("\\d", places, number, out);
    } else {
        *out = (struct adg_shape){.type = ADG_TYPE_STRING, .strings = strings};
        snprintf(out->pattern, sizeof out->pattern, "%s{%d}", classes[CAPITALS_AND_DIGITS].text, places);
    }
    out->widened = true;
}

void adg_shape_of(const struct adg_column_profile *column, uint64_t distinct, double needed, struct adg_shape *out)
{
    enum { WIDEST_NUMBER = 18 };
    bool typed = column->kind == ADG_SOURCE_INT || column->kind == ADG_SOURCE_DECIMAL;
    bool whole = column->whole == column->filled && column->negative == 0 && column->longest <= WIDEST_NUMBER;
    if (whole && (column->leading_zeros == 0 || typed)) {
        bool zero_in_front = column->shortest < column->longest || holds(place(column, 0), '0');
        write_digits(zero_in_front || distinct < MIXED ? "\\d" : "[1-9]", (int)column->longest, true, out);
    } else {
        write_text(column, distinct, out);
    }
    if (out->strings < needed) {
        widen(column, needed, out);
    }
}

void adg_shape_of_personal(const struct adg_column_profile *column, enum adg_personal kind, uint64_t distinct,
                           double needed, struct adg_shape *out)
{
    static const struct {
        const char *pattern;
        double strings;
    } shapes[] = {
        [ADG_PERSONAL_EMAIL] = {"[a-z]{8,12}@example\\.org", 1e11},
        [ADG_PERSONAL_PHONE] = {"0\\d{10}", 1e10},
        [ADG_PERSONAL_POSTCODE] = {"[A-Z]{1,2}\\d{1,2} \\d[A-Z]{2}", 5e8},
        [ADG_PERSONAL_HEALTH_NUMBER] = {NULL, 0},
        [ADG_PERSONAL_PROSE] = {"[A-Z][a-z]{4,8} [a-z]{4,8} [a-z]{4,8}", 1e30},
        [ADG_PERSONAL_NAME] = {"[A-Z][a-z]{4,9}", 1e8},
        [ADG_PERSONAL_ADDRESS] = {"\\d{1,3} [A-Z][a-z]{4,9} [A-Z][a-z]{4,9}", 1e20},
        [ADG_PERSONAL_BIRTH] = {NULL, 0},
        [ADG_PERSONAL_NUMBER] = {NULL, 0},
    };
    bool number = column->kind != ADG_SOURCE_TEXT || column->filled == 0; /* keeps what the source has: layout alone */
    bool postcode = kind == ADG_PERSONAL_ADDRESS && 2 * column->personal[ADG_PERSONAL_POSTCODE] >= column->filled;
    const char *pattern = shapes[postcode ? ADG_PERSONAL_POSTCODE : kind].pattern;
    if (pattern != NULL && !number) {
        *out = (struct adg_shape){.type = ADG_TYPE_STRING, .strings = shapes[kind].strings};
        snprintf(out->pattern, sizeof out->pattern, "%s", pattern);
        return;
    }
    if (column->filled == 0) {
        *out = (struct adg_shape){.type = ADG_TYPE_STRING, .strings = 1e30};
        snprintf(out->pattern, sizeof out->pattern, "%s", classes[CAPITALS_AND_DIGITS].text);
        put(&(struct writer){.shape = out, .length = strlen(out->pattern)}, "{20}");
        return;
    }
    /* no literal of personal data, however many values have it */
    adg_shape_of(column, distinct < NOBODYS ? distinct : NOBODYS - 1, needed, out);
}
