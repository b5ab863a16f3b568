/*
 * One YAML document as a tree of nodes that know their line and column, and the plain parts that every reader of such a tree
 * needs. libyaml does the parsing; what no file of this program has a use for (anchors, aliases, tags, directives, NUL, a
 * second document) is refused here, so that nothing in a file is silently left out.
 */
#ifndef ADG_YAML_TREE_H
#define ADG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "core/arena.h"
#include "core/status.h"

struct adg_tree {
    const char *file;        /* for messages */
    const char *what;        /* that the document is, for messages: "dataset" */
    size_t first_line;       /* of this document in the file, 0-based */
    struct adg_arena *arena; /* what is read is copied here */
    struct adg_error *error;
    yaml_document_t document; /* set by adg_tree_load */
};

/* Loads `text`; file, what, first_line, arena and error are set before. ADG_BAD_INPUT: "FILE:LINE:COLUMN: expected ...". */
ADG_MUST_CHECK enum adg_status adg_tree_load(struct adg_tree *tree, const char *text, size_t text_bytes);
void adg_tree_fini(struct adg_tree *tree); /* after a load that succeeded */

const yaml_node_t *adg_tree_root(struct adg_tree *tree);

/* Fails with "FILE:LINE:COLUMN: " before the message; `byte` is the offset within the node's text. */
ADG_PRINTF(4, 5)
enum adg_status adg_tree_refuse(const struct adg_tree *tree, const yaml_node_t *node, size_t byte, const char *format,
                                ...);

/* Of a scalar: its text, NUL-terminated, without NUL inside. */
const char *adg_tree_text(const yaml_node_t *node);

/* A plain name of letters, digits and underscores, at most 127; `what` is for the message. */
ADG_MUST_CHECK enum adg_status adg_tree_name(const struct adg_tree *tree, const yaml_node_t *node, const char *what,
                                             bool upper, const char **out);
/* A number from 1 to `max`. */
ADG_MUST_CHECK enum adg_status adg_tree_number(const struct adg_tree *tree, const yaml_node_t *node, uint32_t max,
                                               const char *what, uint32_t *out);
/* Sorts a mapping's values into `values` by the NULL-ended list of keys; an unknown or repeated key is refused. */
ADG_MUST_CHECK enum adg_status adg_tree_mapping(const struct adg_tree *tree, const yaml_node_t *node,
                                                const char *const *keys, const yaml_node_t **values, const char *what);
ADG_MUST_CHECK enum adg_status adg_tree_sequence(const struct adg_tree *tree, const yaml_node_t *node, uint32_t max,
                                                 const char *what, uint32_t *count);
/* A mapping whose keys are the file's own: names as adg_tree_name has them, each once, at most `max`. */
ADG_MUST_CHECK enum adg_status adg_tree_entries(const struct adg_tree *tree, const yaml_node_t *node, uint32_t max,
                                                const char *what, uint32_t *count);
const yaml_node_t *adg_tree_entry(const struct adg_tree *tree, const yaml_node_t *mapping, uint32_t i,
                                  const yaml_node_t **value); /* the key */
/* A scalar that is not empty, copied; one line, without control characters. */
ADG_MUST_CHECK enum adg_status adg_tree_line(const struct adg_tree *tree, const yaml_node_t *node, const char *what,
                                             const char **out);
const yaml_node_t *adg_tree_item(const struct adg_tree *tree, const yaml_node_t *sequence, uint32_t i);

#endif
