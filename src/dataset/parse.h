/*
 * Within the dataset room: the steps from a file to its datasets, and from a field's text to its derivation.
 */
#ifndef ADG_DATASET_PARSE_H
#define ADG_DATASET_PARSE_H

#include "dataset/dataset.h"
#include "yaml/tree.h"

/*
 * Reads datasets[index], whose source_text is set, from that text; first_line (0-based) is the text's place in `file`, for
 * messages. Names, ids and tables must differ from those of the datasets before it. What is read lives in `arena`.
 * ADG_BAD_INPUT: "FILE:LINE:COLUMN: expected ...".
 */
ADG_MUST_CHECK enum adg_status adg_dataset_read(const char *file, size_t first_line, struct adg_dataset *datasets,
                                                uint32_t index, struct adg_arena *arena, struct adg_error *error);

/*
 * Reads "name(argument, argument)" such as prefix(A, 3), join(A_01..20), count_codes(A_01..12, cap 24). A range A_01..20
 * stands for A_01, A_02, ..., A_20. Fields are looked up by name in any case. ADG_BAD_INPUT: message "expected ...", and
 * *column is the 0-based byte at which it was expected. Types are checked, cycles are not: the caller knows all fields.
 */
ADG_MUST_CHECK enum adg_status adg_derivation_parse(const char *text, const struct adg_dataset *dataset,
                                                    enum adg_type own_type, struct adg_arena *arena,
                                                    struct adg_derivation *out, size_t *column,
                                                    struct adg_error *error);

/* Reads "A_01..20", or one name: fields of type string, in the arena. Messages as adg_derivation_parse has them. */
ADG_MUST_CHECK enum adg_status adg_field_range_parse(const char *text, const struct adg_dataset *dataset,
                                                     struct adg_arena *arena, const uint32_t **out, uint32_t *out_count,
                                                     size_t *column, struct adg_error *error);

/* Reads the key `coherence`: everything else of the dataset has been read. */
ADG_MUST_CHECK enum adg_status adg_coherence_read(const struct adg_tree *tree, const yaml_node_t *node,
                                                  struct adg_dataset *dataset);
/* What datasets[index] says about datasets before it in the file, and they about it. */
ADG_MUST_CHECK enum adg_status adg_coherence_check_others(const struct adg_tree *tree, const yaml_node_t *node,
                                                          const struct adg_dataset *datasets, uint32_t index);

#endif
