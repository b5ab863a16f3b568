/*
 * --sandbox: confining a command to the places that it works on, before it starts a thread or loads an engine.
 */
#ifndef ADG_CLI_CONFINE_H
#define ADG_CLI_CONFINE_H

#include <limits.h>

#include "govern/confine.h"
#include "scrape/scrape.h"

/* The choices of the option, in the order of enum adg_sandbox. */
extern const char *const adg_cli_sandboxes[];
#define ADG_SANDBOX_USAGE                                                                                              \
    "  --sandbox S           auto, required or off: whether the kernel confines the process to these places; "         \
    "required "                                                                                                        \
    "refuses\n"                                                                                                        \
    "                        to run where a promise cannot be kept (default: auto, which warns)\n"

ADG_MUST_CHECK enum adg_status adg_cli_confine(int sandbox, const struct adg_place *places, uint32_t count,
                                               struct adg_error *error);
/* The same for a command that loads an engine: also where that lies, and what it reads of the machine. `target`: a database, or
 * NULL; one with a driver of its own may reach servers. */
ADG_MUST_CHECK enum adg_status adg_cli_confine_engine(int sandbox, const struct adg_place *places, uint32_t count,
                                                      const struct adg_target *target, struct adg_error *error);
/* What scraping and importing touch. */
ADG_MUST_CHECK enum adg_status adg_cli_confine_scrape(int sandbox, const struct adg_scrape_places *places,
                                                      struct adg_error *error);

/* The folder that --meta means: where the open metadata lie, for "open". */
ADG_MUST_CHECK enum adg_status adg_cli_metadata_folder(const char *meta, char out[PATH_MAX], struct adg_error *error);

/* The folder that a path lies in. */
void adg_cli_parent(const char *path, char out[PATH_MAX]);

/* A folder that is written to must be there before the process confines itself to it. One that was created here goes again
 * when the command fails and nothing is in it; the process may then still arrange folders in its parent. */
ADG_MUST_CHECK enum adg_status adg_cli_create_folder(const char *path, bool *created, struct adg_error *error);
void adg_cli_discard_folder(const char *path, bool created, enum adg_status status);

#endif
