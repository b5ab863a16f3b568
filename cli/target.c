/*
 * The database that --source names: see target.h.
 */
#include "target.h"

#include "core/buffer.h"

enum adg_status adg_cli_find_target(const char *source, const char *dialect, const char *const *tables, size_t count,
                                    struct adg_arena *arena, struct adg_target *target, struct adg_error *error)
{
    struct adg_buffer ignored = {0};
    const struct adg_dialect *any = adg_dialect_find("duckdb"); /* what a name looks like is the same in all */
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < count && status == ADG_OK; i++) { /* before the source: it may be a file that is missing */
        status = tables[i] != NULL ? adg_dialect_table(any, &ignored, tables[i], error) : ADG_OK;
        adg_context(error, status, "option --table");
    }
    if (status == ADG_OK) {
        status = adg_target_parse(source, dialect, arena, target, error);
    }
    adg_buffer_fini(&ignored);
    return status == ADG_OK ? adg_target_find_driver(target, arena, error) : status;
}
