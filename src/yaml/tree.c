/*
 * YAML documents as trees: see tree.h.
 */
#include "yaml/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A definition nests some six deep; what libyaml does with a token takes time for each list that is open. */
enum { NAME_MAX_BYTES = 127, MAX_DEPTH = 32 };

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static enum adg_status refuse_at(const struct adg_tree *tree, yaml_mark_t mark, const char *expected)
{
    return adg_fail(tree->error, ADG_BAD_INPUT, "%s:%zu:%zu: expected %s", tree->file, tree->first_line + mark.line + 1,
                    mark.column + 1, expected);
}

static enum adg_status parser_failed(const struct adg_tree *tree, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        return adg_fail_memory(tree->error);
    }
    char expected[256];
    snprintf(expected, sizeof expected, "YAML: %s",
             parser->problem != NULL ? parser->problem : "text that cannot be read");
    return refuse_at(tree, parser->problem_mark, expected);
}

/* What is expected where a token stands that no definition has; NULL for any other token. */
static const char *expected_instead(const yaml_token_t *token, bool many)
{
    switch (token->type) {
    case YAML_DOCUMENT_START_TOKEN:
        return many ? "--- alone on its line, without blanks, between two datasets" : "one document, without ---";
    case YAML_DOCUMENT_END_TOKEN:
        return many ? "no end of a document (...): a dataset ends at --- or at the end of the file"
                    : "no end of a document (...)";
    case YAML_VERSION_DIRECTIVE_TOKEN:
    case YAML_TAG_DIRECTIVE_TOKEN:
        return "no directive";
    case YAML_ANCHOR_TOKEN:
    case YAML_ALIAS_TOKEN:
        return "no anchor and no alias: write the value out";
    case YAML_TAG_TOKEN:
        return "a value without a tag";
    case YAML_SCALAR_TOKEN:
        return strlen((const char *)token->data.scalar.value) != token->data.scalar.length ? "a text without NUL"
                                                                                           : NULL;
    default:
        return NULL;
    }
}

/* How many more lists and mappings are open behind a token. */
static int opened(const yaml_token_t *token)
{
    switch (token->type) {
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_FLOW_MAPPING_START_TOKEN:
        return 1;
    case YAML_BLOCK_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN:
    case YAML_FLOW_MAPPING_END_TOKEN:
        return -1;
    default:
        return 0;
    }
}

static enum adg_status check_tokens(const struct adg_tree *tree, const char *text, size_t text_bytes)
{
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        return adg_fail_memory(tree->error);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, text_bytes);
    enum adg_status status = ADG_OK;
    int depth = 0;
    for (bool end = false; status == ADG_OK && !end;) {
        yaml_token_t token;
        if (yaml_parser_scan(&parser, &token) == 0) {
            status = parser_failed(tree, &parser);
            break;
        }
        const char *expected = expected_instead(&token, strcmp(tree->what, "dataset") == 0);
        depth += opened(&token);
        if (depth > MAX_DEPTH) {
            expected = "fewer lists within lists";
        }
        if (expected != NULL) {
            status = refuse_at(tree, token.start_mark, expected);
        }
        end = token.type == YAML_STREAM_END_TOKEN;
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    return status;
}

enum adg_status adg_tree_load(struct adg_tree *tree, const char *text, size_t text_bytes)
{
    enum adg_status status = check_tokens(tree, text, text_bytes);
    if (status != ADG_OK) {
        return status;
    }
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        return adg_fail_memory(tree->error);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, text_bytes);
    bool loaded = yaml_parser_load(&parser, &tree->document) != 0;
    if (!loaded) {
        status = parser_failed(tree, &parser);
    } else if (yaml_document_get_root_node(&tree->document) == NULL) {
        char expected[64];
        snprintf(expected, sizeof expected, "a %s", tree->what);
        status = refuse_at(tree, (yaml_mark_t){0}, expected);
    } else { /* the parser stops behind the first document: nothing may follow */
        yaml_document_t rest;
        if (yaml_parser_load(&parser, &rest) == 0) {
            status = parser_failed(tree, &parser);
        } else {
            const yaml_node_t *root = yaml_document_get_root_node(&rest);
            if (root != NULL) {
                status = refuse_at(tree, root->start_mark, "the end of the document");
            }
            yaml_document_delete(&rest);
        }
    }
    if (status != ADG_OK && loaded) {
        yaml_document_delete(&tree->document);
    }
    yaml_parser_delete(&parser);
    return status;
}

void adg_tree_fini(struct adg_tree *tree)
{
    yaml_document_delete(&tree->document);
}

const yaml_node_t *adg_tree_root(struct adg_tree *tree)
{
    return yaml_document_get_root_node(&tree->document);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

enum adg_status adg_tree_refuse(const struct adg_tree *tree, const yaml_node_t *node, size_t byte, const char *format,
                                ...)
{
    char expected[sizeof tree->error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    yaml_mark_t mark = node->start_mark;
    size_t quote = node->type == YAML_SCALAR_NODE && (node->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                                                      node->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    return adg_fail(tree->error, ADG_BAD_INPUT, "%s:%zu:%zu: %s", tree->file, tree->first_line + mark.line + 1,
                    mark.column + 1 + (byte > 0 ? byte + quote : 0), expected);
}

const char *adg_tree_text(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static const yaml_node_t *node_at(const struct adg_tree *tree, int index)
{
    return tree->document.nodes.start + index - 1; /* what yaml_document_get_node does, which takes no const */
}

enum adg_status adg_tree_name(const struct adg_tree *tree, const yaml_node_t *node, const char *what, bool upper,
                              const char **out)
{
    size_t length = node->type == YAML_SCALAR_NODE ? node->data.scalar.length : 0;
    bool good = length > 0 && length <= NAME_MAX_BYTES;
    for (size_t i = 0; good && i < length; i++) {
        char c = adg_tree_text(node)[i];
        good = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (!upper && c >= 'a' && c <= 'z');
    }
    if (!good) {
        return adg_tree_refuse(tree, node, 0, "expected %s: %sletters, digits and underscores", what,
                               upper ? "upper-case " : "");
    }
    *out = adg_arena_strndup(tree->arena, adg_tree_text(node), length);
    return *out == NULL ? adg_fail_memory(tree->error) : ADG_OK;
}

enum adg_status adg_tree_number(const struct adg_tree *tree, const yaml_node_t *node, uint32_t max, const char *what,
                                uint32_t *out)
{
    size_t length = node->type == YAML_SCALAR_NODE ? node->data.scalar.length : 0;
    unsigned long value = 0;
    if (length > 0 && length <= 9 && strspn(adg_tree_text(node), "0123456789") == length) {
        value = strtoul(adg_tree_text(node), NULL, 10);
    }
    if (value < 1 || value > max) {
        return adg_tree_refuse(tree, node, 0, "expected %s: a number from 1 to %u", what, max);
    }
    *out = (uint32_t)value;
    return ADG_OK;
}

enum adg_status adg_tree_mapping(const struct adg_tree *tree, const yaml_node_t *node, const char *const *keys,
                                 const yaml_node_t **values, const char *what)
{
    if (node->type != YAML_MAPPING_NODE) {
        return adg_tree_refuse(tree, node, 0, "expected %s as a mapping of keys to values", what);
    }
    size_t key_count = 0;
    while (keys[key_count] != NULL) {
        values[key_count++] = NULL;
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(tree, pair->key);
        size_t k = 0;
        while (k < key_count && (key->type != YAML_SCALAR_NODE || strcmp(adg_tree_text(key), keys[k]) != 0)) {
            k++;
        }
        if (k == key_count || values[k] != NULL) {
            char text[512];
            size_t length = (size_t)snprintf(text, sizeof text,
                                             k == key_count ? "expected one of the keys" : "expected each key once:");
            for (size_t i = 0; i < key_count && length < sizeof text; i++) {
                length += (size_t)snprintf(text + length, sizeof text - length, "%s %s", i == 0 ? "" : ",", keys[i]);
            }
            return adg_tree_refuse(tree, key, 0, "%s", text);
        }
        values[k] = node_at(tree, pair->value);
    }
    return ADG_OK;
}

enum adg_status adg_tree_sequence(const struct adg_tree *tree, const yaml_node_t *node, uint32_t max, const char *what,
                                  uint32_t *count)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        return adg_tree_refuse(tree, node, 0, "expected %s as a list", what);
    }
    size_t items = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (items > max) {
        return adg_tree_refuse(tree, node, 0, "expected fewer %s", what);
    }
    *count = (uint32_t)items;
    return ADG_OK;
}

const yaml_node_t *adg_tree_item(const struct adg_tree *tree, const yaml_node_t *sequence, uint32_t i)
{
    return node_at(tree, sequence->data.sequence.items.start[i]);
}

const yaml_node_t *adg_tree_entry(const struct adg_tree *tree, const yaml_node_t *mapping, uint32_t i,
                                  const yaml_node_t **value)
{
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start + i;
    *value = node_at(tree, pair->value);
    return node_at(tree, pair->key);
}

enum adg_status adg_tree_entries(const struct adg_tree *tree, const yaml_node_t *node, uint32_t max, const char *what,
                                 uint32_t *count)
{
    if (node->type != YAML_MAPPING_NODE) {
        return adg_tree_refuse(tree, node, 0, "expected %s as a mapping of names to values", what);
    }
    size_t entries = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    if (entries > max) {
        return adg_tree_refuse(tree, node, 0, "expected at most %u %s", max, what);
    }
    const yaml_node_t *value;
    for (uint32_t i = 0; i < entries; i++) {
        const yaml_node_t *key = adg_tree_entry(tree, node, i, &value);
        const char *name;
        enum adg_status status = adg_tree_name(tree, key, "a name", false, &name);
        if (status != ADG_OK) {
            return status;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(adg_tree_text(adg_tree_entry(tree, node, j, &value)), name) == 0) {
                return adg_tree_refuse(tree, key, 0, "expected each name once, found %s again", name);
            }
        }
    }
    *count = (uint32_t)entries;
    return ADG_OK;
}

enum adg_status adg_tree_line(const struct adg_tree *tree, const yaml_node_t *node, const char *what, const char **out)
{
    size_t length = node->type == YAML_SCALAR_NODE ? node->data.scalar.length : 0;
    bool good = length > 0;
    for (size_t i = 0; i < length && good; i++) {
        unsigned char c = (unsigned char)adg_tree_text(node)[i];
        good = c >= 0x20 && c != 0x7f;
    }
    if (!good) {
        return adg_tree_refuse(tree, node, 0, "expected %s: one line of text", what);
    }
    *out = adg_arena_strndup(tree->arena, adg_tree_text(node), length);
    return *out == NULL ? adg_fail_memory(tree->error) : ADG_OK;
}
