/*
 * The proof: see graph.h.
 *
 * A place that jobs amend is two vertices, what was written there and what those jobs made of it: writers lead to the first,
 * readers begin at the second, and amending jobs lead from the one to the other. So an amending job is no cycle, and whatever
 * it reads reaches whoever reads after it. A job is one vertex for each environment. What may be reached is found breadth first, so
 * that the way that is printed is a shortest one.
 */
#include "project/graph.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/buffer.h"
#include "core/memory.h"
#include "dataset/dataset.h"

/* A folder or database, which several environments may have. */
struct node {
    const char *resolved; /* absolute path, or the address of a database */
    bool file;            /* it has a path */
    enum adg_place_kind kind;
    uint32_t environment, place; /* where it was met first */
};

enum { NONE = -1 };

struct graph {
    const struct adg_project *project;
    struct adg_arena arena;
    struct adg_error *error;
    struct node *nodes;
    uint32_t node_count;
    uint32_t *node_of; /* by environment and place */
    int32_t *from;     /* of a search: the vertex before, NONE, or itself for a start */
    uint32_t *queue;
};

/* Vertices: of node n, 2 n as it was written and 2 n + 1 as it was amended; behind them jobs, by environment and job. */
static uint32_t job_vertex(const struct graph *graph, uint32_t environment, uint32_t job)
{
    return 2 * graph->node_count + environment * graph->project->job_count + job;
}

static uint32_t vertex_count(const struct graph *graph)
{
    return job_vertex(graph, graph->project->environment_count, 0);
}

static uint32_t node_at(const struct graph *graph, uint32_t environment, uint32_t place)
{
    return graph->node_of[environment * graph->project->place_count + place];
}

ADG_PRINTF(4, 5)
static enum adg_status refuse(const struct graph *graph, enum adg_status status, struct adg_position at,
                              const char *format, ...)
{
    char message[sizeof graph->error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return adg_fail(graph->error, status, "%s:%zu:%zu: %s", graph->project->file, at.line, at.column, message);
}

static const char *environment_of(const struct graph *graph, const struct node *node)
{
    return graph->project->environments[node->environment].name;
}

static const char *name_of(const struct graph *graph, const struct node *node)
{
    return graph->project->places[node->place].name;
}

static struct adg_position position_of(const struct graph *graph, const struct node *node)
{
    return graph->project->environments[node->environment].addresses[node->place].at;
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static enum adg_status resolve(struct graph *graph, const struct adg_address *address, const char **out)
{
    char path[PATH_MAX];
    if (address->path == NULL) {
        *out = address->text;
        return ADG_OK;
    }
    enum adg_status status = adg_project_resolve(address->path, path, graph->error);
    if (status != ADG_OK) {
        return status;
    }
    *out = adg_arena_strdup(&graph->arena, path);
    return *out == NULL ? adg_fail_memory(graph->error) : ADG_OK;
}

static enum adg_status check_overlap(const struct graph *graph, const struct node *node, uint32_t *same)
{
    *same = graph->node_count;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const struct node *other = &graph->nodes[i];
        bool equal = strcmp(node->resolved, other->resolved) == 0;
        bool overlap = node->file && other->file ? adg_project_overlap(node->resolved, other->resolved) : equal;
        if (!overlap) {
            continue;
        }
        bool sources = node->kind == ADG_PLACE_SOURCE && other->kind == ADG_PLACE_SOURCE;
        if (equal && node->kind == other->kind && (sources || node->environment != other->environment)) {
            *same = i;
            return ADG_OK;
        }
        if (!sources) {
            return refuse(graph, ADG_BAD_INPUT, position_of(graph, node),
                          "%s/%s lies where %s/%s lies: each place needs a folder of its own, none within another",
                          environment_of(graph, node), name_of(graph, node), environment_of(graph, other),
                          name_of(graph, other));
        }
    }
    return ADG_OK;
}

/* The project's own files, and whose signatures count, are out of every job's reach. */
static enum adg_status check_reach(struct graph *graph, const struct node *node)
{
    const struct adg_project *project = graph->project;
    char folder[PATH_MAX], state[PATH_MAX + sizeof ADG_PROJECT_STATE + 1], trust[PATH_MAX];
    enum adg_status status = node->file ? adg_project_resolve(project->folder, folder, graph->error) : ADG_OK;
    if (!node->file || status != ADG_OK) {
        return status;
    }
    snprintf(state, sizeof state, "%s/%s", folder, ADG_PROJECT_STATE);
    if (adg_project_overlap(node->resolved, state) || strcmp(node->resolved, folder) == 0) {
        return refuse(graph, ADG_BAD_INPUT, position_of(graph, node),
                      "%s/%s lies where the project's own files lie: it needs a folder of its own",
                      environment_of(graph, node), name_of(graph, node));
    }
    for (uint32_t e = 0; e < project->environment_count && status == ADG_OK; e++) {
        status = adg_project_resolve(project->environments[e].trust.path, trust, graph->error);
        if (status == ADG_OK && adg_project_overlap(node->resolved, trust)) {
            status = refuse(graph, ADG_BAD_INPUT, project->environments[e].trust.at,
                            "the trusted keys of %s lie where %s/%s lies: jobs must not reach them",
                            project->environments[e].name, environment_of(graph, node), name_of(graph, node));
        }
    }
    return status;
}

static enum adg_status build(struct graph *graph)
{
    const struct adg_project *project = graph->project;
    size_t all = (size_t)project->environment_count * project->place_count;
    size_t vertices = 2 * all + (size_t)project->environment_count * project->job_count;
    graph->nodes = adg_arena_array(&graph->arena, all + 1, sizeof *graph->nodes);
    graph->node_of = adg_arena_array(&graph->arena, all + 1, sizeof *graph->node_of);
    graph->from = adg_arena_array(&graph->arena, vertices + 1, sizeof *graph->from);
    graph->queue = adg_arena_array(&graph->arena, vertices + 1, sizeof *graph->queue);
    if (graph->nodes == NULL || graph->node_of == NULL || graph->from == NULL || graph->queue == NULL) {
        return adg_fail_memory(graph->error);
    }
    enum adg_status status = ADG_OK;
    for (uint32_t e = 0; e < project->environment_count; e++) {
        for (uint32_t p = 0; p < project->place_count && status == ADG_OK; p++) {
            const struct adg_address *address = &project->environments[e].addresses[p];
            struct node node = {
                .file = address->path != NULL, .kind = project->places[p].kind, .environment = e, .place = p};
            uint32_t same = 0;
            status = resolve(graph, address, &node.resolved);
            if (status == ADG_OK) {
                status = check_overlap(graph, &node, &same);
            }
            if (status == ADG_OK) {
                status = check_reach(graph, &node);
            }
            if (status == ADG_OK && same == graph->node_count) {
                graph->nodes[graph->node_count++] = node;
            }
            graph->node_of[e * project->place_count + p] = same;
        }
    }
    return status;
}

/* ---- ways -------------------------------------------------------------------------------------------------------- */

/* Calls visit(context, to) for every vertex that one step leads to. */
static void each_next(const struct graph *graph, uint32_t vertex, void (*visit)(void *context, uint32_t to),
                      void *context)
{
    const struct adg_project *project = graph->project;
    uint32_t nodes = 2 * graph->node_count;
    if (vertex >= nodes) {
        uint32_t e = (vertex - nodes) / project->job_count;
        const struct adg_project_job *job = &project->jobs[(vertex - nodes) % project->job_count];
        for (uint32_t i = 0; i < job->grants[ADG_GRANT_WRITES].count; i++) {
            visit(context, 2 * node_at(graph, e, job->grants[ADG_GRANT_WRITES].places[i]));
        }
        for (uint32_t i = 0; i < job->grants[ADG_GRANT_AMENDS].count; i++) {
            visit(context, 2 * node_at(graph, e, job->grants[ADG_GRANT_AMENDS].places[i]) + 1);
        }
        return;
    }
    if (vertex % 2 == 0) {
        visit(context, vertex + 1);
    }
    for (uint32_t e = 0; e < project->environment_count; e++) {
        for (uint32_t j = 0; j < project->job_count; j++) {
            const struct adg_project_grant *grant =
                &project->jobs[j].grants[vertex % 2 == 0 ? ADG_GRANT_AMENDS : ADG_GRANT_READS];
            for (uint32_t i = 0; i < grant->count; i++) {
                if (node_at(graph, e, grant->places[i]) == vertex / 2) {
                    visit(context, job_vertex(graph, e, j));
                }
            }
        }
    }
}

struct search {
    const struct graph *graph;
    uint32_t vertex, queued;
    uint32_t wanted; /* the search ends there; a start counts when it is reached again */
    bool found;
    bool around_release; /* what a release writes into a store is no longer the source's */
};

static void reach(void *context, uint32_t to)
{
    struct search *search = context;
    const struct graph *graph = search->graph;
    uint32_t nodes = 2 * graph->node_count;
    if (search->around_release && search->vertex >= nodes &&
        graph->project->jobs[(search->vertex - nodes) % graph->project->job_count].command == ADG_JOB_RELEASE &&
        graph->nodes[to / 2].kind == ADG_PLACE_STORE) {
        return;
    }
    if (to == search->wanted && !search->found) {
        search->found = true;
        graph->from[to] = (int32_t)search->vertex;
    } else if (graph->from[to] == NONE) {
        graph->from[to] = (int32_t)search->vertex;
        graph->queue[search->queued++] = to;
    }
}

/* Whether a way leads from `start` to `wanted`; it is then in graph->from. */
static bool search(const struct graph *graph, uint32_t start, uint32_t wanted, bool around_release)
{
    struct search search = {.graph = graph, .wanted = wanted, .around_release = around_release, .queued = 1};
    for (uint32_t i = 0; i < vertex_count(graph); i++) {
        graph->from[i] = NONE;
    }
    graph->queue[0] = start;
    for (uint32_t at = 0; at < search.queued && !search.found; at++) {
        search.vertex = graph->queue[at];
        each_next(graph, search.vertex, reach, &search);
    }
    return search.found;
}

static enum adg_status append_vertex(const struct graph *graph, uint32_t vertex, struct adg_buffer *text)
{
    uint32_t nodes = 2 * graph->node_count;
    if (vertex >= nodes) {
        return adg_buffer_printf(text, graph->error, " -[%s]-> ",
                                 graph->project->jobs[(vertex - nodes) % graph->project->job_count].name);
    }
    const struct node *node = &graph->nodes[vertex / 2];
    return adg_buffer_printf(text, graph->error, "%s/%s", environment_of(graph, node), name_of(graph, node));
}

/* The way that search() found, as text. */
static enum adg_status print_way(const struct graph *graph, uint32_t start, uint32_t wanted, struct adg_buffer *text)
{
    uint32_t length = 0, vertex = wanted;
    do { /* from the end; the queue is free for it */
        graph->queue[length++] = vertex;
        vertex = (uint32_t)graph->from[vertex];
    } while (vertex != start);
    enum adg_status status = append_vertex(graph, start, text);
    uint32_t last = start;
    while (length > 0 && status == ADG_OK) {
        vertex = graph->queue[--length];
        bool same_node = vertex < 2 * graph->node_count && vertex / 2 == last / 2 && last < 2 * graph->node_count;
        status = same_node ? ADG_OK : append_vertex(graph, vertex, text);
        last = vertex;
    }
    return status;
}

/* Refuses with the way that search() found, at the last job of it. */
static enum adg_status refuse_way(const struct graph *graph, enum adg_status status, uint32_t start, uint32_t wanted,
                                  const char *message)
{
    struct adg_buffer text = {0};
    uint32_t job = wanted;
    while (job < 2 * graph->node_count) {
        job = (uint32_t)graph->from[job];
    }
    struct adg_position at = graph->project->jobs[(job - 2 * graph->node_count) % graph->project->job_count].at;
    enum adg_status printed = print_way(graph, start, wanted, &text);
    if (printed == ADG_OK) {
        printed = refuse(graph, status, at, "%s: %s", message, adg_buffer_text(&text));
    }
    adg_buffer_fini(&text);
    return printed;
}

/* ---- what has to hold -------------------------------------------------------------------------------------------- */

static enum adg_status check_writers(const struct graph *graph)
{
    const struct adg_project *project = graph->project;
    int32_t *writer = graph->from; /* of each node: the vertex of the job that writes there */
    for (uint32_t i = 0; i < graph->node_count; i++) {
        writer[i] = NONE;
    }
    for (uint32_t e = 0; e < project->environment_count; e++) {
        for (uint32_t j = 0; j < project->job_count; j++) {
            for (int g = ADG_GRANT_WRITES; g <= ADG_GRANT_AMENDS; g++) {
                const struct adg_project_grant *grant = &project->jobs[j].grants[g];
                for (uint32_t i = 0; i < grant->count; i++) {
                    uint32_t n = node_at(graph, e, grant->places[i]);
                    const struct node *node = &graph->nodes[n];
                    if (node->kind == ADG_PLACE_SOURCE) {
                        return refuse(graph, ADG_BAD_INPUT, grant->at[i], "a source is only read: -[%s]-> %s/%s",
                                      project->jobs[j].name, environment_of(graph, node), name_of(graph, node));
                    }
                    if (g == ADG_GRANT_WRITES && writer[n] != NONE) {
                        uint32_t other = (uint32_t)writer[n];
                        return refuse(graph, ADG_BAD_INPUT, grant->at[i],
                                      "two jobs write to one place: %s/%s -> %s/%s <- %s/%s",
                                      project->environments[other / project->job_count].name,
                                      project->jobs[other % project->job_count].name, environment_of(graph, node),
                                      name_of(graph, node), project->environments[e].name, project->jobs[j].name);
                    }
                    if (g == ADG_GRANT_WRITES) {
                        writer[n] = (int32_t)(e * project->job_count + j);
                    }
                }
            }
        }
    }
    return ADG_OK;
}

static enum adg_status check_cycles(const struct graph *graph)
{
    for (uint32_t n = 0; n < graph->node_count; n++) {
        for (uint32_t side = 0; side < 2; side++) {
            if (search(graph, 2 * n + side, 2 * n + side, false)) {
                return refuse_way(graph, ADG_BAD_INPUT, 2 * n + side, 2 * n + side, "jobs go round in a cycle");
            }
        }
    }
    return ADG_OK;
}

static bool is_artificial(const struct node *node)
{
    return node->kind == ADG_PLACE_ARTIFICIAL || node->kind == ADG_PLACE_PUBLISHED;
}

static enum adg_status check_isolation(const struct graph *graph)
{
    for (uint32_t source = 0; source < graph->node_count; source++) {
        if (graph->nodes[source].kind != ADG_PLACE_SOURCE) {
            continue;
        }
        for (uint32_t n = 0; n < graph->node_count; n++) {
            if (!is_artificial(&graph->nodes[n])) {
                continue;
            }
            for (uint32_t side = 0; side < 2; side++) {
                if (search(graph, 2 * source, 2 * n + side, true)) {
                    return refuse_way(graph, ADG_REFUSED, 2 * source, 2 * n + side,
                                      "a source reaches artificial data around the release");
                }
            }
        }
    }
    return ADG_OK;
}

/* The job of that command, of any environment, that reads a node; NULL: none. */
static const struct adg_project_job *reader_of(const struct graph *graph, uint32_t node, enum adg_job_command command)
{
    const struct adg_project *project = graph->project;
    for (uint32_t e = 0; e < project->environment_count; e++) {
        for (uint32_t j = 0; j < project->job_count; j++) {
            const struct adg_project_job *job = &project->jobs[j];
            for (int g = 0; g < ADG_GRANTS && job->command == command; g++) {
                for (uint32_t i = 0; i < job->grants[g].count; i++) {
                    if (g != ADG_GRANT_WRITES && node_at(graph, e, job->grants[g].places[i]) == node) {
                        return job;
                    }
                }
            }
        }
    }
    return NULL;
}

static enum adg_status check_direct(const struct graph *graph, uint32_t e, const struct adg_project_job *job)
{
    const struct adg_project *project = graph->project;
    const struct adg_project_place *source = adg_project_place_of(project, job, ADG_GRANT_READS, ADG_PLACE_SOURCE);
    for (int g = ADG_GRANT_WRITES; source != NULL && g <= ADG_GRANT_AMENDS; g++) {
        for (uint32_t i = 0; i < job->grants[g].count; i++) {
            uint32_t n = node_at(graph, e, job->grants[g].places[i]);
            const struct adg_project_job *generator = reader_of(graph, n, ADG_JOB_GENERATE);
            if (generator != NULL) {
                return refuse(graph, ADG_REFUSED, job->grants[g].at[i],
                              "a job reads a source and writes where a generator reads: %s/%s -[%s]-> %s/%s -[%s]->",
                              project->environments[e].name, source->name, job->name,
                              environment_of(graph, &graph->nodes[n]), name_of(graph, &graph->nodes[n]),
                              generator->name);
            }
        }
    }
    return ADG_OK;
}

/* What a command needs: one place of a kind among one of its grants. */
static const struct {
    enum adg_job_command command;
    enum adg_grant_kind grant;
    enum adg_place_kind kind;
} needs[] = {
    {ADG_JOB_SCRAPE, ADG_GRANT_READS, ADG_PLACE_SOURCE},
    {ADG_JOB_SCRAPE, ADG_GRANT_WRITES, ADG_PLACE_METADATA},
    {ADG_JOB_REVIEW, ADG_GRANT_AMENDS, ADG_PLACE_METADATA},
    {ADG_JOB_RELEASE, ADG_GRANT_READS, ADG_PLACE_METADATA},
    {ADG_JOB_RELEASE, ADG_GRANT_WRITES, ADG_PLACE_STORE},
    {ADG_JOB_GENERATE, ADG_GRANT_READS, ADG_PLACE_STORE},
    {ADG_JOB_GENERATE, ADG_GRANT_WRITES, ADG_PLACE_ARTIFICIAL},
    {ADG_JOB_QA, ADG_GRANT_READS, ADG_PLACE_STORE},
    {ADG_JOB_QA, ADG_GRANT_AMENDS, ADG_PLACE_ARTIFICIAL},
    {ADG_JOB_PUBLISH, ADG_GRANT_READS, ADG_PLACE_ARTIFICIAL},
    {ADG_JOB_PUBLISH, ADG_GRANT_WRITES, ADG_PLACE_PUBLISHED},
    {ADG_JOB_MIGRATE, ADG_GRANT_AMENDS, ADG_PLACE_ARTIFICIAL},
};

static enum adg_status check_needs(const struct graph *graph, const struct adg_project_job *job)
{
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        uint32_t count = 0;
        const struct adg_project_grant *grant = &job->grants[needs[i].grant];
        for (uint32_t p = 0; p < grant->count; p++) {
            count += graph->project->places[grant->places[p]].kind == needs[i].kind;
        }
        if (job->command == needs[i].command && count != 1) {
            return refuse(graph, ADG_BAD_INPUT, job->at,
                          "job %s: expected one place of kind %s under %s, as %s needs it", job->name,
                          adg_place_kind_names[needs[i].kind], adg_grant_names[needs[i].grant],
                          adg_job_command_names[job->command]);
        }
    }
    return ADG_OK;
}

/* A job reads its definition file: that must be no way into a place. */
static enum adg_status check_definition(struct graph *graph, const struct adg_project_job *job)
{
    for (uint32_t i = 0; i < job->default_count; i++) {
        const struct adg_project_default *value = &job->defaults[i];
        if (strcmp(value->parameter->name, "dataset") != 0 || !adg_definition_is_file(value->values[0])) {
            continue;
        }
        char resolved[PATH_MAX];
        const char *path = adg_project_path(graph->project, value->values[0], &graph->arena);
        enum adg_status status = path == NULL ? adg_fail_memory(graph->error)
                                              : adg_project_resolve(path, resolved, graph->error);
        for (uint32_t n = 0; n < graph->node_count && status == ADG_OK; n++) {
            const struct node *node = &graph->nodes[n];
            if (node->file && adg_project_overlap(resolved, node->resolved)) {
                status = refuse(graph, ADG_BAD_INPUT, job->at,
                                "job %s: its definition lies where %s/%s lies: it needs a folder of its own", job->name,
                                environment_of(graph, node), name_of(graph, node));
            }
        }
        if (status != ADG_OK) {
            return status;
        }
    }
    return ADG_OK;
}

enum adg_status adg_project_prove(const struct adg_project *project, struct adg_error *error)
{
    struct graph graph = {.project = project, .error = error};
    enum adg_status status = build(&graph);
    if (status == ADG_OK) {
        status = check_isolation(&graph);
    }
    for (uint32_t e = 0; e < project->environment_count; e++) {
        for (uint32_t j = 0; j < project->job_count && status == ADG_OK; j++) {
            status = check_direct(&graph, e, &project->jobs[j]);
        }
    }
    if (status == ADG_OK) {
        status = check_writers(&graph);
    }
    if (status == ADG_OK) {
        status = check_cycles(&graph);
    }
    for (uint32_t j = 0; j < project->job_count && status == ADG_OK; j++) {
        status = check_definition(&graph, &project->jobs[j]);
        if (status == ADG_OK) {
            status = check_needs(&graph, &project->jobs[j]);
        }
    }
    adg_arena_fini(&graph.arena);
    return status;
}
