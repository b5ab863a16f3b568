/*
 * Identifier patterns: see pattern.h.
 *
 * text -> tree (recursive descent) -> nondeterministic automaton (Thompson) -> deterministic automaton (subsets). There are
 * no loops, so every state's count of strings is found by a walk that remembers. Counts of 2^63 and more are kept as HUGE.
 */
#include "dataset/pattern.h"

#include <string.h>

#include "core/memory.h"
#include "core/wide.h"

enum { MAX_NODES = 1024, MAX_NFA_STATES = 4096, MAX_DFA_STATES = 4096, ALPHABET = 128, MAX_DEPTH = 64 };
#define HUGE_COUNT UINT64_MAX
#define LARGEST_COUNT (UINT64_C(1) << 63)
/* In a huge space a random choice never enters a branch with fewer strings than this. */
#define SMALLEST_BRANCH (UINT64_C(1) << 48)

/* A run of neighbouring bytes that lead to the same state. */
struct edge {
    uint8_t first, last;
    uint32_t target;
};

struct state {
    bool accepting;
    uint64_t count; /* strings from here on */
    const struct edge *edges;
    uint32_t edge_count;
};

struct adg_pattern {
    const char *text;
    struct state *states; /* 0 is the start */
    uint32_t state_count;
    uint32_t max_length, min_length;
};

/* ---- tree -------------------------------------------------------------------------------------------------------- */

enum node_kind { NODE_CLASS, NODE_CONCAT, NODE_ALTERNATIVE, NODE_REPEAT, NODE_EMPTY };

struct node {
    enum node_kind kind;
    uint64_t bytes[2];               /* CLASS */
    const struct node *left, *right; /* CONCAT, ALTERNATIVE; left: REPEAT */
    uint32_t min, max;               /* REPEAT */
    uint32_t min_length, max_length;
};

struct parser {
    const char *text;
    size_t at;
    unsigned depth;
    unsigned nodes;
    struct adg_arena *arena;
    const char *expected; /* what was expected when parsing failed; NULL: no memory */
};

static struct node *new_node(struct parser *parser, enum node_kind kind)
{
    if (++parser->nodes > MAX_NODES) {
        parser->expected = "a shorter pattern";
        return NULL;
    }
    struct node *node = adg_arena_array(parser->arena, 1, sizeof *node);
    if (node != NULL) {
        node->kind = kind;
    }
    return node;
}

static const struct node *refuse(struct parser *parser, const char *expected)
{
    parser->expected = expected;
    return NULL;
}

static void add_bytes(struct node *node, unsigned first, unsigned last)
{
    for (unsigned byte = first; byte <= last; byte++) {
        node->bytes[byte / 64] |= UINT64_C(1) << byte % 64;
    }
}

static const struct node *parse_alternatives(struct parser *parser);

/* A byte of a class, or after a backslash; -1 when there is none. */
static int class_byte(struct parser *parser)
{
    unsigned char byte = (unsigned char)parser->text[parser->at];
    if (byte == '\\') {
        byte = (unsigned char)parser->text[++parser->at];
    }
    if (byte < 0x20 || byte > 0x7E) {
        return -1;
    }
    parser->at++;
    return byte;
}

static const struct node *parse_class(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_CLASS);
    if (node == NULL) {
        return NULL;
    }
    node->min_length = node->max_length = 1;
    parser->at++;
    if (parser->text[parser->at] == '^') {
        return refuse(parser, "a character or a range (negated classes are not supported)");
    }
    do {
        if (parser->text[parser->at] == '\\' && parser->text[parser->at + 1] == 'd') {
            add_bytes(node, '0', '9');
            parser->at += 2;
            continue;
        }
        int first = class_byte(parser);
        if (first < 0) {
            return refuse(parser, "a printable ASCII character and ']' at the end of the class");
        }
        int last = first;
        if (parser->text[parser->at] == '-' && parser->text[parser->at + 1] != ']') {
            parser->at++;
            last = class_byte(parser);
            if (last < first) {
                return refuse(parser, "a range that goes upwards");
            }
        }
        add_bytes(node, (unsigned)first, (unsigned)last);
    } while (parser->text[parser->at] != ']');
    parser->at++;
    return node;
}

static const struct node *parse_atom(struct parser *parser)
{
    char c = parser->text[parser->at];
    if (c == '(') {
        if (++parser->depth > MAX_DEPTH) {
            return refuse(parser, "fewer nested groups");
        }
        parser->at++;
        const struct node *inner = parse_alternatives(parser);
        if (inner == NULL) {
            return NULL;
        }
        if (parser->text[parser->at] != ')') {
            return refuse(parser, "')'");
        }
        parser->at++;
        parser->depth--;
        return inner;
    }
    if (c == '[') {
        return parse_class(parser);
    }
    if (strchr("*+^$.", c) != NULL) {
        return refuse(parser,
                      "a literal, \\d, a class, a group, {n}, {n,m} or ? (a pattern must be finite; put \\ before the "
                      "character for itself)");
    }
    if (strchr("{}?])", c) != NULL) {
        return refuse(parser, "a literal, \\d, a class or a group");
    }
    bool digit = c == '\\' && parser->text[parser->at + 1] == 'd';
    struct node *node = new_node(parser, NODE_CLASS);
    if (node == NULL) {
        return NULL;
    }
    node->min_length = node->max_length = 1;
    if (digit) {
        add_bytes(node, '0', '9');
        parser->at += 2;
        return node;
    }
    int byte = class_byte(parser);
    if (byte < 0) {
        return refuse(parser, "a printable ASCII character");
    }
    add_bytes(node, (unsigned)byte, (unsigned)byte);
    return node;
}

static bool parse_count(struct parser *parser, uint32_t *count)
{
    uint32_t value = 0;
    size_t from = parser->at;
    while (parser->text[parser->at] >= '0' && parser->text[parser->at] <= '9' && value <= ADG_PATTERN_MAX_LENGTH) {
        value = value * 10 + (uint32_t)(parser->text[parser->at++] - '0');
    }
    *count = value;
    return parser->at > from && value <= ADG_PATTERN_MAX_LENGTH;
}

static const struct node *parse_repeated(struct parser *parser)
{
    const struct node *node = parse_atom(parser);
    while (node != NULL && (parser->text[parser->at] == '{' || parser->text[parser->at] == '?')) {
        struct node *repeat = new_node(parser, NODE_REPEAT);
        if (repeat == NULL) {
            return NULL;
        }
        repeat->left = node;
        if (parser->text[parser->at] == '?') {
            parser->at++;
            repeat->max = 1;
        } else {
            parser->at++;
            if (!parse_count(parser, &repeat->min)) {
                return refuse(parser, "a number from 0 to 256");
            }
            repeat->max = repeat->min;
            if (parser->text[parser->at] == ',') {
                parser->at++;
                if (!parse_count(parser, &repeat->max) || repeat->max < repeat->min) {
                    return refuse(parser, "a number from the first one to 256");
                }
            }
            if (parser->text[parser->at] != '}') {
                return refuse(parser, "'}' or ','");
            }
            parser->at++;
        }
        repeat->min_length = node->min_length * repeat->min;
        repeat->max_length = node->max_length * repeat->max;
        if (repeat->max_length > ADG_PATTERN_MAX_LENGTH) {
            return refuse(parser, "strings of at most 256 characters");
        }
        node = repeat;
    }
    return node;
}

static const struct node *parse_sequence(struct parser *parser)
{
    const struct node *sequence = new_node(parser, NODE_EMPTY);
    while (sequence != NULL && parser->text[parser->at] != '\0' && parser->text[parser->at] != '|' &&
           parser->text[parser->at] != ')') {
        const struct node *next = parse_repeated(parser);
        struct node *concat = next != NULL ? new_node(parser, NODE_CONCAT) : NULL;
        if (concat == NULL) {
            return NULL;
        }
        concat->left = sequence;
        concat->right = next;
        concat->min_length = sequence->min_length + next->min_length;
        concat->max_length = sequence->max_length + next->max_length;
        if (concat->max_length > ADG_PATTERN_MAX_LENGTH) {
            return refuse(parser, "strings of at most 256 characters");
        }
        sequence = concat;
    }
    return sequence;
}

static const struct node *parse_alternatives(struct parser *parser)
{
    const struct node *left = parse_sequence(parser);
    while (left != NULL && parser->text[parser->at] == '|') {
        parser->at++;
        const struct node *right = parse_sequence(parser);
        struct node *both = right != NULL ? new_node(parser, NODE_ALTERNATIVE) : NULL;
        if (both == NULL) {
            return NULL;
        }
        both->left = left;
        both->right = right;
        both->min_length = left->min_length < right->min_length ? left->min_length : right->min_length;
        both->max_length = left->max_length > right->max_length ? left->max_length : right->max_length;
        left = both;
    }
    return left;
}

/* ---- nondeterministic automaton ---------------------------------------------------------------------------------- */

struct nfa_state {
    bool consumes;
    uint64_t bytes[2];
    uint32_t next, other; /* other: a second empty step, or NO_STATE */
};
#define NO_STATE UINT32_MAX

struct nfa {
    struct nfa_state *states;
    uint32_t count;
};

/* The states for `node` that lead to `next`; returns the first, NO_STATE when there are too many. */
static uint32_t emit(struct nfa *nfa, const struct node *node, uint32_t next)
{
    if (next == NO_STATE) {
        return NO_STATE;
    }
    switch (node->kind) {
    case NODE_EMPTY:
        return next;
    case NODE_CONCAT:
        return emit(nfa, node->left, emit(nfa, node->right, next));
    case NODE_REPEAT:
        if (node->max_length == 0) { /* nothing, however often: repeats within repeats would never end */
            return next;
        }
        for (uint32_t i = node->max; i > 0; i--) {
            uint32_t inner = emit(nfa, node->left, next);
            if (inner == NO_STATE) {
                return NO_STATE;
            }
            if (i > node->min) { /* this one and all after it may be left out: the end is reached from each */
                if (nfa->count == MAX_NFA_STATES) {
                    return NO_STATE;
                }
                nfa->states[nfa->count] = (struct nfa_state){.next = inner, .other = next};
                inner = nfa->count++;
            }
            next = inner;
        }
        return next;
    case NODE_ALTERNATIVE: {
        uint32_t left = emit(nfa, node->left, next), right = emit(nfa, node->right, next);
        if (left == NO_STATE || right == NO_STATE || nfa->count == MAX_NFA_STATES) {
            return NO_STATE;
        }
        nfa->states[nfa->count] = (struct nfa_state){.next = left, .other = right};
        return nfa->count++;
    }
    case NODE_CLASS:
        if (nfa->count == MAX_NFA_STATES) {
            return NO_STATE;
        }
        nfa->states[nfa->count] = (struct nfa_state){
            .consumes = true, .bytes = {node->bytes[0], node->bytes[1]}, .next = next, .other = NO_STATE};
        return nfa->count++;
    }
    return NO_STATE;
}

/* ---- deterministic automaton ------------------------------------------------------------------------------------- */

struct subsets {
    uint64_t (*sets)[MAX_NFA_STATES / 64];
    uint32_t count;
};

static void close_over(const struct nfa *nfa, uint64_t *set, uint32_t state)
{
    while (state != NO_STATE && (set[state / 64] >> state % 64 & 1) == 0) {
        set[state / 64] |= UINT64_C(1) << state % 64;
        if (nfa->states[state].consumes) {
            return;
        }
        close_over(nfa, set, nfa->states[state].other);
        state = nfa->states[state].next;
    }
}

/* The number of the set, adding it when it is new; NO_STATE when there are too many. */
static uint32_t find_set(struct subsets *subsets, const uint64_t *set)
{
    for (uint32_t i = 0; i < subsets->count; i++) {
        if (memcmp(subsets->sets[i], set, sizeof subsets->sets[i]) == 0) {
            return i;
        }
    }
    if (subsets->count == MAX_DFA_STATES) {
        return NO_STATE;
    }
    memcpy(subsets->sets[subsets->count], set, sizeof subsets->sets[0]);
    return subsets->count++;
}

static bool is_empty(const uint64_t *set)
{
    for (size_t i = 0; i < MAX_NFA_STATES / 64; i++) {
        if (set[i] != 0) {
            return false;
        }
    }
    return true;
}

/* The edges of state `number`. false: too many states or no memory. */
static bool expand(const struct nfa *nfa, struct subsets *subsets, uint32_t number, struct state *state,
                   struct adg_arena *arena)
{
    struct edge edges[ALPHABET];
    uint32_t count = 0;
    for (unsigned byte = 0; byte < ALPHABET; byte++) {
        uint64_t set[MAX_NFA_STATES / 64] = {0};
        for (uint32_t s = 0; s < nfa->count; s++) {
            if ((subsets->sets[number][s / 64] >> s % 64 & 1) != 0 && nfa->states[s].consumes &&
                (nfa->states[s].bytes[byte / 64] >> byte % 64 & 1) != 0) {
                close_over(nfa, set, nfa->states[s].next);
            }
        }
        if (is_empty(set)) {
            continue;
        }
        uint32_t target = find_set(subsets, set);
        if (target == NO_STATE) {
            return false;
        }
        if (count > 0 && edges[count - 1].target == target && edges[count - 1].last + 1U == byte) {
            edges[count - 1].last = (uint8_t)byte;
        } else {
            edges[count++] = (struct edge){(uint8_t)byte, (uint8_t)byte, target};
        }
    }
    struct edge *kept = adg_arena_array(arena, count, sizeof *kept);
    if (kept == NULL) {
        return false;
    }
    memcpy(kept, edges, count * sizeof *kept);
    state->edges = kept;
    state->edge_count = count;
    return true;
}

static uint64_t saturating_add(uint64_t a, uint64_t b, uint64_t times)
{
    adg_uint128 sum = (adg_uint128)b * times + a;
    return a == HUGE_COUNT || (b == HUGE_COUNT && times > 0) || sum >= LARGEST_COUNT ? HUGE_COUNT : (uint64_t)sum;
}

static uint64_t count_strings(struct adg_pattern *pattern, uint32_t number)
{
    struct state *state = &pattern->states[number];
    if (state->count == 0) { /* every state reaches the end: 0 means not counted yet */
        uint64_t count = state->accepting;
        for (uint32_t i = 0; i < state->edge_count; i++) {
            const struct edge *edge = &state->edges[i];
            count = saturating_add(count, count_strings(pattern, edge->target), edge->last - edge->first + UINT64_C(1));
        }
        state->count = count;
    }
    return state->count;
}

/* Tables for the most states that there may be; of cleared memory only what is touched is there. */
struct tables {
    struct nfa nfa;
    struct subsets subsets;
    struct state *states;
};

static enum adg_status determinise(const struct node *root, struct tables *tables, struct adg_arena *arena,
                                   struct adg_pattern *pattern, struct adg_error *error)
{
    struct nfa nfa = tables->nfa;
    struct subsets subsets = tables->subsets;
    struct state *states = tables->states;
    nfa.states[0] = (struct nfa_state){
        .consumes = true, .next = NO_STATE, .other = NO_STATE}; /* the end: no byte leads on */
    uint32_t start = emit(&nfa, root, 0);
    if (start == NO_STATE) {
        return adg_fail(error, ADG_BAD_INPUT, "expected a simpler pattern: this one needs too many states");
    }
    uint64_t set[MAX_NFA_STATES / 64] = {0};
    close_over(&nfa, set, start);
    find_set(&subsets, set);
    for (uint32_t i = 0; i < subsets.count; i++) {
        states[i].accepting = (subsets.sets[i][0] & 1) != 0;
        if (!expand(&nfa, &subsets, i, &states[i], arena)) {
            return adg_fail(error, ADG_BAD_INPUT, "expected a simpler pattern: this one needs too many states");
        }
    }
    pattern->state_count = subsets.count;
    pattern->states = adg_arena_array(arena, subsets.count, sizeof *pattern->states);
    if (pattern->states == NULL) {
        return adg_fail_memory(error);
    }
    memcpy(pattern->states, states, subsets.count * sizeof *states);
    count_strings(pattern, 0);
    return ADG_OK;
}

enum adg_status adg_pattern_compile(const char *text, struct adg_arena *arena, const struct adg_pattern **out,
                                    size_t *column, struct adg_error *error)
{
    struct adg_arena scratch = {0};
    struct parser parser = {.text = text, .arena = &scratch};
    enum adg_status status = ADG_OK;
    struct tables tables = {{.states = adg_alloc_zero(MAX_NFA_STATES, sizeof *tables.nfa.states), .count = 1},
                            {.sets = adg_alloc_zero(MAX_DFA_STATES, sizeof *tables.subsets.sets)},
                            adg_alloc_zero(MAX_DFA_STATES, sizeof *tables.states)};
    const struct node *root = parse_alternatives(&parser);
    if (root != NULL && text[parser.at] != '\0') {
        root = refuse(&parser, "the end of the pattern");
    }
    if (root != NULL && root->max_length == 0) {
        root = refuse(&parser, "at least one character");
    }
    struct adg_pattern *pattern = adg_arena_array(arena, 1, sizeof *pattern);
    if (pattern == NULL || tables.nfa.states == NULL || tables.subsets.sets == NULL || tables.states == NULL ||
        (root == NULL && parser.expected == NULL)) {
        status = adg_fail_memory(error);
        goto done;
    }
    if (root == NULL) {
        *column = parser.at;
        status = adg_fail(error, ADG_BAD_INPUT, "expected %s", parser.expected);
        goto done;
    }
    pattern->text = adg_arena_strdup(arena, text);
    pattern->min_length = root->min_length;
    pattern->max_length = root->max_length;
    status = pattern->text == NULL ? adg_fail_memory(error) : determinise(root, &tables, arena, pattern, error);
    if (status == ADG_OK) {
        *out = pattern;
    } else {
        *column = 0;
    }
done:
    adg_free(tables.nfa.states);
    adg_free(tables.subsets.sets);
    adg_free(tables.states);
    adg_arena_fini(&scratch);
    return status;
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

const char *adg_pattern_text(const struct adg_pattern *pattern)
{
    return pattern->text;
}

uint32_t adg_pattern_max_length(const struct adg_pattern *pattern)
{
    return pattern->max_length;
}

bool adg_pattern_fixed_length(const struct adg_pattern *pattern)
{
    return pattern->min_length == pattern->max_length;
}

bool adg_pattern_only_digits(const struct adg_pattern *pattern)
{
    for (uint32_t s = 0; s < pattern->state_count; s++) {
        for (uint32_t e = 0; e < pattern->states[s].edge_count; e++) {
            const struct edge *edge = &pattern->states[s].edges[e];
            if (edge->first < '0' || edge->last > '9') {
                return false;
            }
        }
    }
    return true;
}

uint64_t adg_pattern_count(const struct adg_pattern *pattern)
{
    return pattern->states[0].count;
}

/* In a huge space: the byte that random word `word` picks, among branches that are large enough. Branches count the same
 * whatever their size: weights would change nothing that anyone could see. */
static const struct edge *choose(const struct adg_pattern *pattern, const struct state *state, uint32_t word,
                                 uint8_t *byte)
{
    uint32_t choices = 0;
    for (uint32_t i = 0; i < state->edge_count; i++) {
        if (pattern->states[state->edges[i].target].count >= SMALLEST_BRANCH) {
            choices += state->edges[i].last - state->edges[i].first + 1U;
        }
    }
    uint32_t pick = (uint32_t)((uint64_t)word * choices >> 32);
    for (uint32_t i = 0; i < state->edge_count; i++) {
        const struct edge *edge = &state->edges[i];
        if (pattern->states[edge->target].count < SMALLEST_BRANCH) {
            continue;
        }
        uint32_t width = edge->last - edge->first + 1U;
        if (pick < width) {
            *byte = (uint8_t)(edge->first + pick);
            return edge;
        }
        pick -= width;
    }
    return NULL; /* not reached: a huge state has a branch of at least 2^63 / 129 strings */
}

uint32_t adg_pattern_string(const struct adg_pattern *pattern, uint64_t index, adg_pattern_permute permute,
                            adg_pattern_random random, const void *context, char out[ADG_PATTERN_MAX_LENGTH])
{
    uint32_t number = 0, length = 0;
    while (pattern->states[number].count == HUGE_COUNT) {
        uint8_t byte = 0;
        const struct edge *edge = choose(pattern, &pattern->states[number], random(context, index, length), &byte);
        if (edge == NULL) {
            return length;
        }
        out[length++] = (char)byte;
        number = edge->target;
    }
    uint64_t rest = permute(context, number, pattern->states[number].count, index);
    for (;;) {
        const struct state *state = &pattern->states[number];
        if (state->accepting) {
            if (rest == 0) {
                return length;
            }
            rest--;
        }
        for (uint32_t i = 0; i < state->edge_count; i++) {
            const struct edge *edge = &state->edges[i];
            uint64_t each = pattern->states[edge->target].count;
            uint64_t all = each * (edge->last - edge->first + UINT64_C(1));
            if (rest < all) {
                out[length++] = (char)(edge->first + rest / each);
                rest %= each;
                number = edge->target;
                break;
            }
            rest -= all;
        }
    }
}

/* The bytes that lead from a state; false when they do not all lead to the same one. */
static bool one_place(const struct state *state, struct adg_pattern_place *place, uint32_t *next)
{
    for (uint32_t i = 0; i < state->edge_count; i++) {
        const struct edge *edge = &state->edges[i];
        if (edge->target != state->edges[0].target) {
            return false;
        }
        for (uint32_t byte = edge->first; byte <= edge->last; byte++) {
            place->bytes[place->choices++] = (uint8_t)byte;
        }
    }
    *next = state->edge_count > 0 ? state->edges[0].target : 0;
    return true;
}

bool adg_pattern_places(const struct adg_pattern *pattern, struct adg_arena *arena, struct adg_pattern_places *out)
{
    struct adg_pattern_places made = {.length = pattern->max_length};
    struct adg_pattern_place *places = adg_arena_array(arena, made.length + (size_t)1, sizeof *places);
    uint32_t number = 0;
    bool same = places != NULL && pattern->min_length == pattern->max_length;
    for (uint32_t p = 0; p < made.length && same; p++) {
        if (pattern->states[number].count == HUGE_COUNT) {
            made.random = p + 1;
        } else if (p == made.random) {
            made.state = number;
            made.count = pattern->states[number].count;
        }
        same = one_place(&pattern->states[number], &places[p], &number);
    }
    made.places = places;
    *out = made;
    return same && made.count > 0;
}

bool adg_pattern_matches(const struct adg_pattern *pattern, const char *text, size_t length)
{
    uint32_t number = 0;
    for (size_t i = 0; i < length; i++) {
        const struct state *state = &pattern->states[number];
        uint32_t e = 0;
        while (e < state->edge_count &&
               ((uint8_t)text[i] < state->edges[e].first || (uint8_t)text[i] > state->edges[e].last)) {
            e++;
        }
        if (e == state->edge_count) {
            return false;
        }
        number = state->edges[e].target;
    }
    return pattern->states[number].accepting;
}
