/*
 * Promotion: a version of a project taken from one environment and put into another.
 *
 * What is exported is the project file, the definitions that it names, and the store of released metadata: the log and the releases that
 * are in it, each verified with its signatures. Nothing of a source, no metadata that nobody has released, no report. An environment's
 * versions are in `.adg/versions.csv` of the project's folder.
 *
 * What is imported replaces those files and the store, each exchanged in one step for what was there, which stays beside it as
 * `<name>.backup-<time>`. Everything is written and verified beside its place (`.<name>.import`) before the first exchange. A journal,
 * `.adg/import.json`, names what is under way, so that a process may be killed at any moment: the next import first puts away as a
 * backup what was exchanged, removes what was not, and then does what is left.
 */
#ifndef ADG_PROMOTE_PROMOTE_H
#define ADG_PROMOTE_PROMOTE_H

#include "govern/store.h"
#include "project/project.h"
#include "promote/archive.h"

/* Where files lie in an archive. */
#define ADG_PROMOTE_PROJECT "project/"
#define ADG_PROMOTE_STORE "store/"

/* Where a project's version lies, or is to lie. */
struct adg_promotion {
    const char *folder; /* of the project: holds project.yaml */
    const char *project, *environment;
    const char *store; /* released metadata, of the environment */
    const struct adg_trust *trust;
    int64_t now_utc;  /* seconds since 1970 */
    bool may_replace; /* a person has confirmed it; importing what only adds needs nobody */
};

/*
 * Appends the archive and notes the version. `definitions` are files, relative to the project's folder. ADG_REFUSED: the store is not
 * what its log and signatures say; ADG_BAD_INPUT: a definition that is not there or lies elsewhere.
 */
ADG_MUST_CHECK enum adg_status adg_promote_export(const struct adg_promotion *from, const char *const *definitions,
                                                  uint32_t definition_count, const char *tool_version,
                                                  struct adg_buffer *out, char version[65], struct adg_error *error);

enum adg_change_kind { ADG_CHANGE_NEW, ADG_CHANGE_REPLACED, ADG_CHANGE_BACKED_UP };

struct adg_change {
    enum adg_change_kind kind; /* BACKED_UP: a release of the store that is there, and not in the archive */
    const char *path;
};

struct adg_changes {
    struct adg_arena arena;
    struct adg_change *list;
    uint32_t count;
    bool replaces; /* something is overwritten */
};

/* ADG_FAILED: an import into the project's folder goes on, or was interrupted and has to be started again. */
ADG_MUST_CHECK enum adg_status adg_promote_check_whole(const char *folder, struct adg_error *error);

/* What the archive holds of the project's own files; NULL: there is none of that name. */
const struct adg_archive_file *adg_promote_find(const struct adg_archive *archive, const char *name);

/* Ends what an import that was interrupted has left, then says what this one would change. ADG_FAILED: another one is going on. */
ADG_MUST_CHECK enum adg_status adg_promote_compare(const struct adg_promotion *to, const struct adg_archive *archive,
                                                   struct adg_changes *out, struct adg_error *error);
void adg_changes_fini(struct adg_changes *changes);

/* Does it, and notes the version. ADG_REFUSED: the store in the archive is not what its log and signatures say; nothing is changed then.
 * ADG_FAILED: what there is has to be replaced and may not be, or cannot. */
ADG_MUST_CHECK enum adg_status adg_promote_import(const struct adg_promotion *to, const struct adg_archive *archive,
                                                  struct adg_error *error);

#endif
