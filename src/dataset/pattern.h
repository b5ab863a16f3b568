/*
 * Identifier patterns: the finite set of strings that a small regular expression describes, counted and numbered.
 *
 * Syntax: literals, \d, classes [0-9a-zA-Z] (ranges, no negation), groups (...), alternation |, {n}, {n,m}, ?, and \ before
 * any other character for itself. ASCII only. No anchors, stars or pluses: every pattern is finite.
 *
 * A pattern is compiled to an acyclic deterministic automaton (Thompson's construction, then subsets; Aho, Sethi, Ullman),
 * so that strings are counted once even where the expression is ambiguous, and the i-th string (in byte order, a shorter
 * string before its extensions) is found without listing the others.
 *
 * Spaces larger than 2^63 are not numbered as a whole: adg_pattern_string() takes random choices until the rest of the
 * string has at most 2^63 possibilities, and the permuted number picks among those. Two numbers below 2^63 / 2 or so give
 * two strings whatever the choices are: with the same choices the rest differs. Branches with fewer than 2^48
 * possibilities are left out of the choice in such a space, since a number might not fit them.
 */
#ifndef ADG_DATASET_PATTERN_H
#define ADG_DATASET_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/status.h"

#define ADG_PATTERN_MAX_LENGTH 256 /* bytes of the longest string */

struct adg_pattern; /* immutable; lives in the arena */

/* ADG_BAD_INPUT with `column` (0-based byte in the text) set where the text is no pattern. */
ADG_MUST_CHECK enum adg_status adg_pattern_compile(const char *text, struct adg_arena *arena,
                                                   const struct adg_pattern **out, size_t *column,
                                                   struct adg_error *error);

const char *adg_pattern_text(const struct adg_pattern *pattern);
uint32_t adg_pattern_max_length(const struct adg_pattern *pattern); /* bytes */
bool adg_pattern_fixed_length(const struct adg_pattern *pattern);   /* every string has max_length bytes */
bool adg_pattern_only_digits(const struct adg_pattern *pattern);    /* no string holds anything but 0 to 9 */

/* How many different strings there are; UINT64_MAX stands for 2^63 or more, where 2^48 numbers can be used. */
uint64_t adg_pattern_count(const struct adg_pattern *pattern);

/* A keyed bijection of 0 .. size-1 (see sample/permute.h, which provides one; a parameter so that this room need not
 * know it). */
typedef uint64_t (*adg_pattern_permute)(const void *context, uint64_t tweak, uint64_t size, uint64_t index);
/* The w-th 32-bit random word (0 .. length of the string) that belongs to string number `index`. */
typedef uint32_t (*adg_pattern_random)(const void *context, uint64_t index, uint32_t w);

/* String number `index` into `out` (no NUL); returns its length. `index` is below adg_pattern_count(), or below 2^48. */
uint32_t adg_pattern_string(const struct adg_pattern *pattern, uint64_t index, adg_pattern_permute permute,
                            adg_pattern_random random, const void *context, char out[ADG_PATTERN_MAX_LENGTH]);

/*
 * A pattern that allows, at each place of its strings, the same choice of bytes whatever stands before it. Its strings can be
 * written without the automaton: the first `random` places by random words (place p: byte word * choices >> 32 of word p), the
 * others as digits, with choices[p] for base, of a number below `count` that is permuted with tweak `state`.
 */
struct adg_pattern_place {
    uint32_t choices;
    uint8_t bytes[128]; /* [choices] */
};
struct adg_pattern_places {
    uint32_t length, random, state;
    uint64_t count;
    const struct adg_pattern_place *places; /* [length] */
};
/* False when the pattern is of another kind, or without memory. */
bool adg_pattern_places(const struct adg_pattern *pattern, struct adg_arena *arena, struct adg_pattern_places *out);

bool adg_pattern_matches(const struct adg_pattern *pattern, const char *text, size_t length);

#endif
