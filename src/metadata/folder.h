/*
 * The files of a metadata folder, read whole: what is hashed and verified is what is parsed, whatever happens to the folder
 * meanwhile. Nothing is followed out of it: a file that is a symbolic link is refused.
 */
#ifndef ADG_METADATA_FOLDER_H
#define ADG_METADATA_FOLDER_H

#include "metadata/metadata.h"

#define ADG_METADATA_FILE "metadata.parquet"
#define ADG_DEFINITION_FILE "definition.yaml"
#define ADG_MANIFEST_FILE "manifest.json"
#define ADG_REVIEW_FILE "review.json"

enum adg_role_of_signer { ADG_REVIEWER, ADG_APPROVER, ADG_SIGNERS };
extern const char *const adg_signer_names[ADG_SIGNERS];    /* "reviewer", "approver" */
extern const char *const adg_signature_files[ADG_SIGNERS]; /* "reviewer.minisig", ... */

struct adg_metadata_folder {
    struct adg_buffer manifest, definition, metadata;
    struct adg_buffer review, signatures[ADG_SIGNERS]; /* empty: there is none */
    char manifest_sha256[65], review_sha256[65];       /* of what was read; the review's is "" when there is none */
};

/* ADG_REFUSED for a symbolic link, ADG_FAILED for a file that is missing (of the first three) or cannot be read. */
ADG_MUST_CHECK enum adg_status adg_metadata_folder_read(const char *path, struct adg_metadata_folder *out,
                                                        struct adg_error *error);
void adg_metadata_folder_fini(struct adg_metadata_folder *folder);

/* The manifest, in the arena; not yet held against the other files. */
ADG_MUST_CHECK enum adg_status adg_metadata_folder_manifest(const struct adg_metadata_folder *folder,
                                                            struct adg_arena *arena, struct adg_manifest *out,
                                                            struct adg_error *error);
/* Metadata and definition have the hashes that the manifest says; ADG_BAD_INPUT names the file that has not. */
ADG_MUST_CHECK enum adg_status adg_metadata_folder_check_hashes(const struct adg_metadata_folder *folder,
                                                                const struct adg_manifest *manifest,
                                                                struct adg_error *error);

/* What adg_metadata_read does, from files that have been read; takes the bytes of the table. */
ADG_MUST_CHECK enum adg_status adg_metadata_parse(struct adg_metadata_folder *folder,
                                                  const struct adg_definition *definition, struct adg_metadata **out,
                                                  struct adg_error *error);

/* For a review, which has more to say than yes or no: rows as they are, neither hashes nor rules looked at; then the rules. The
 * definition in the folder is *out_definition. */
ADG_MUST_CHECK enum adg_status adg_metadata_parse_unchecked(const struct adg_metadata_folder *folder,
                                                            struct adg_metadata **out,
                                                            struct adg_definition **out_definition,
                                                            struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_metadata_check_rules(const struct adg_metadata *metadata,
                                                        const struct adg_definition *definition,
                                                        struct adg_error *error);

#endif
