/*
 * Within the dataset room: what the YAML reader and the reader of derivations share.
 */
#ifndef ADG_DATASET_PARSE_H
#define ADG_DATASET_PARSE_H

#include "dataset/dataset.h"

/*
 * Reads "name(argument, argument)" such as prefix(A, 3), join(A_01..20), count_codes(A_01..12, cap 24). A range A_01..20
 * stands for A_01, A_02, ..., A_20. Fields are looked up by name in any case. ADG_BAD_INPUT: message "expected ...", and
 * *column is the 0-based byte at which it was expected. Types are checked, cycles are not: the caller knows all fields.
 */
ADG_MUST_CHECK enum adg_status adg_derivation_parse(const char *text, const struct adg_dataset *dataset,
                                                    enum adg_type own_type, struct adg_arena *arena,
                                                    struct adg_derivation *out, size_t *column,
                                                    struct adg_error *error);

#endif
