/*
 * NOTICE.md and NOTICE.html, from one list of paragraphs.
 */
#include "govern/notice.h"

enum kind { TITLE, HEADING, PARAGRAPH, ITEM };

static const struct {
    enum kind kind;
    const char *text;
} parts[] = {
    {TITLE, "About these artificial data"},
    {PARAGRAPH,
     "The tables beside this notice are artificial. Nobody is in them: no row was copied, altered or masked from a "
     "real record, and none describes a person, living or dead."},
    {HEADING, "How they are made"},
    {ITEM, "Inside a secure environment, the real tables were reduced to how often each value of each field occurs. "
           "Values that "
           "fewer people share than a threshold were left out, and what remained was rounded."},
    {ITEM,
     "Automated checks went over the result, one person reviewed it and another approved it, and both signed it."},
    {ITEM, "Outside, a program drew every field of every row at random from those frequencies, one field without "
           "regard to the "
           "others, and added random identifiers and the fields that follow from others."},
    {ITEM,
     "In tables of profile coherent, people, dates, codes and keys were then made to agree by rules that everyone "
     "knows, such as that an admission is not after its discharge; nothing about relations in the real tables "
     "went in."},
    {HEADING, "What they are good for"},
    {ITEM, "Learning what the tables look like: names, order and types of columns, formats, codes, how often a value "
           "or a gap "
           "occurs."},
    {ITEM, "Writing and testing queries, pipelines and software before, or without, access to the real data."},
    {ITEM, "Trying out whether a system copes with the volume."},
    {HEADING, "What they are not good for"},
    {ITEM,
     "Any conclusion about patients, illness, care or hospitals: fields are drawn independently of each other or agree "
     "by rule, so that relations between them are those of chance and of the rules."},
    {ITEM, "Training or judging a statistical model."},
    {ITEM, "Counting rare values: those below the threshold do not occur at all."},
    {ITEM, "Joining to real data: identifiers are random and stand for nobody."},
    {HEADING, "Tables"},
};

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
    "content=\"width=device-width, initial-scale=1\">\n<title>About these artificial data</title>\n<style>\nbody { "
    "font: "
    "1.05rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f23; "
    "background: "
    "#fff; }\nh1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin-top: 1.8rem; }\nli { margin: .35rem 0; }\ncode "
    "{ "
    "overflow-wrap: anywhere; }\n</style>\n</head>\n<body>\n";

/* Text of our own and names of tables: only what HTML needs. */
static enum adg_status put_text(struct adg_buffer *out, const char *text, bool html, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (; *text != '\0' && status == ADG_OK; text++) {
        const char *escaped = !html          ? NULL
                              : *text == '&' ? "&amp;"
                              : *text == '<' ? "&lt;"
                              : *text == '>' ? "&gt;"
                                             : NULL;
        status = escaped != NULL ? adg_buffer_append_text(out, escaped, error) : adg_buffer_append(out, text, 1, error);
    }
    return status;
}

static enum adg_status put_part(struct adg_buffer *out, enum kind kind, const char *text, bool html,
                                struct adg_error *error)
{
    static const char *const open[2][4] = {{"# ", "## ", "", "* "}, {"<h1>", "<h2>", "<p>", "<li>"}};
    static const char *const close[2][4] = {{"\n\n", "\n\n", "\n\n", "\n"},
                                            {"</h1>\n", "</h2>\n", "</p>\n", "</li>\n"}};
    enum adg_status status = adg_buffer_append_text(out, open[html][kind], error);
    if (status == ADG_OK) {
        status = put_text(out, text, html, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(out, close[html][kind], error) : status;
}

static enum adg_status put_table(struct adg_buffer *out, const char *name, json_t *entry, bool html,
                                 struct adg_error *error)
{
    struct adg_buffer line = {0};
    const char *definition = json_string_value(json_object_get(entry, "definition")),
               *manifest = json_string_value(json_object_get(entry, "manifest_sha256")),
               *profile = json_string_value(json_object_get(entry, "profile")),
               *released = json_string_value(json_object_get(entry, "released_utc")),
               *attribution = json_string_value(json_object_get(entry, "attribution"));
    enum adg_status status = adg_buffer_printf(
        &line, error, "%s: dataset %s, profile %s, metadata %.12s, ", name, definition != NULL ? definition : "unknown",
        profile != NULL ? profile : "unknown", manifest != NULL ? manifest : "unknown");
    if (status == ADG_OK) {
        status = !json_is_true(json_object_get(entry, "released"))
                     ? adg_buffer_append_text(&line, "NOT RELEASED: nobody has reviewed the metadata it was made from",
                                              error)
                 : released != NULL
                     ? adg_buffer_printf(&line, error, "released %s UTC", released)
                     : adg_buffer_append_text(&line, "open metadata, made from published figures and not from records",
                                              error);
    }
    if (status == ADG_OK && attribution != NULL) {
        status = adg_buffer_printf(&line, error, ". %s", attribution);
    }
    if (status == ADG_OK && adg_buffer_text(&line) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = put_part(out, ITEM, (const char *)line.data, html, error);
    }
    adg_buffer_fini(&line);
    return status;
}

enum adg_status adg_notice_write(json_t *provenance, bool html, struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = html ? adg_buffer_append_text(out, head, error) : ADG_OK;
    bool in_list = false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == ADG_OK; i++) {
        bool item = parts[i].kind == ITEM;
        if (item != in_list) { /* HTML wants lists around items, Markdown an empty line behind them */
            status = adg_buffer_append_text(out, html ? (item ? "<ul>\n" : "</ul>\n") : (item ? "" : "\n"), error);
            in_list = item;
        }
        if (status == ADG_OK) {
            status = put_part(out, parts[i].kind, parts[i].text, html, error);
        }
    }
    if (status == ADG_OK && html) {
        status = adg_buffer_append_text(out, "<ul>\n", error);
    }
    const char *name;
    json_t *entry;
    json_object_foreach(json_object_get(provenance, "files"), name, entry)
    {
        if (status == ADG_OK) {
            status = put_table(out, name, entry, html, error);
        }
    }
    return status == ADG_OK && html ? adg_buffer_append_text(out, "</ul>\n</body>\n</html>\n", error) : status;
}
