/*
 * For programs that are to know of no open metadata: see src/govern/open_metadata.c.
 */
extern const char adg_open_manifest_sha256[65];
const char adg_open_manifest_sha256[65] = "";
