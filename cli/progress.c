/*
 * The progress line: stage, table, rows, rows per second, time left. On a terminal only; written over itself, at most ten
 * times a second. The caller makes sure that there is one call at a time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { INTERVAL_NS = 100000000 };

static struct {
    char stage[32];
    int64_t start_ns, last_ns;
    bool shown;
} line;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool on_terminal(void)
{
    static int known = -1;
    if (known < 0) {
        known = isatty(STDERR_FILENO);
    }
    return known != 0;
}

/* What a stage counts: rows, unless it is listed. */
static const char *unit_of(const char *stage)
{
    static const struct {
        const char *stage, *unit;
    } others[] = {{"checking fields", "fields"}, {"counting fields", "fields"}, {"planning", "tables"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(stage, others[i].stage) == 0) {
            return others[i].unit;
        }
    }
    return "rows";
}

void adg_cli_progress(const char *stage, const char *table, uint64_t done, uint64_t total)
{
    if (adg_cli_quiet() || !on_terminal()) {
        return;
    }
    int64_t now = now_ns();
    if (strcmp(stage, line.stage) != 0) {
        snprintf(line.stage, sizeof line.stage, "%s", stage);
        line.start_ns = now;
        line.last_ns = 0;
    }
    if (now - line.last_ns < INTERVAL_NS) {
        return;
    }
    line.last_ns = now;
    line.shown = true;
    const char *unit = unit_of(stage);
    double seconds = (double)(now - line.start_ns) / 1e9;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    fprintf(stderr, "\r\033[K%s %s: %" PRIu64, stage, table, done);
    if (total > 0) {
        fprintf(stderr, " of %" PRIu64, total);
    }
    fprintf(stderr, " %s", unit);
    if (rate > 0) {
        fprintf(stderr, ", %.0f %s/s", rate, unit);
    }
    if (rate > 0 && total > done) {
        fprintf(stderr, ", %.0f s left", (double)(total - done) / rate);
    }
    fflush(stderr);
}

void adg_cli_progress_end(void)
{
    if (line.shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        line.shown = false;
    }
}
