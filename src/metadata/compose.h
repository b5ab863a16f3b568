/*
 * Metadata from distributions that somebody wrote, or made from published figures, instead of from records: a metadata folder for
 * people who have none to scrape. The text is one JSON object per line; empty lines and lines that begin with "#" are passed over.
 *
 *     {"attribution": "Contains public sector information ..."}      what whoever passes on data made from it has to say; at most once
 *     {"table": T, "population": 56000000}                           how many people the table is drawn from; once, or not at all
 *     {"table": T, "field": F, "type": "CATEGORICAL", "values": ["A", null], "weights": [90, 10], "completeness": [10, 90]}
 *     ... DISCRETE with numbers, DATE with "2001-04-01", as values
 *     {..., "type": "CONTINUOUS", "percentiles": [1, 2, 5], "completeness": [0, 100]}
 *     {..., "type": "DEMOGRAPHIC_CATEGORICAL", "patterns": [{"values": ["A", "B"], "shares": [0.7, 0.3], "weight": 20}]}
 *     {..., "type": "DEMOGRAPHIC_DATE", "values": ["011950"], "incidences": [0.98], "weights": [15]}
 *     {..., "field": PRIMARY KEY, "type": "RELATIONSHIP", "key": PATIENT KEY, "values": [1, 2], "weights": [60, 40]}
 *
 * The words are those of the metadata table (docs/metadata.md), and so are the rules: whatever adg_metadata_read would refuse is refused
 * here. "completeness" ([null, filled]) may be left out, and may stand without values.
 */
#ifndef ADG_METADATA_COMPOSE_H
#define ADG_METADATA_COMPOSE_H

#include <stdio.h>

#include "metadata/metadata.h"

/*
 * Reads distributions from `file` to its end, into rows and the manifest's tables, which live in the rows' memory. ADG_BAD_INPUT with
 * the number of the line: no JSON, an unknown key, arrays of unequal length, a value that is none of its type. ADG_FAILED: the
 * file cannot be read.
 */
ADG_MUST_CHECK enum adg_status adg_metadata_compose(FILE *file, struct adg_metadata_rows *rows,
                                                    struct adg_manifest *manifest, struct adg_error *error);

#endif
