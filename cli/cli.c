/*
 * Options, messages and the exit code: see cli.h.
 *
 * Options are long ones, "--name value" or "--name=value"; a value that begins with "--" needs the second form. "--" ends
 * them. The whole command line is checked before a command opens anything.
 */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

static bool quiet;

bool adg_cli_quiet(void)
{
    return quiet;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

/* Digits only, up to 2^64 - 1. */
static bool parse_uint64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

static enum adg_status add_to_list(struct adg_option_list *list, const char *value, struct adg_error *error)
{
    const char **items = adg_realloc_array(list->items, (size_t)list->count + 1, sizeof *items);
    if (items == NULL) {
        return adg_fail_memory(error);
    }
    items[list->count++] = value;
    list->items = items;
    return ADG_OK;
}

static enum adg_status set_choice(const struct adg_option *option, const char *value, struct adg_error *error)
{
    char list[256] = "";
    size_t used = 0;
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *(int *)option->target = i;
            return ADG_OK;
        }
        int more = snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", option->choices[i]);
        used = (size_t)more < sizeof list - used ? used + (size_t)more : used;
    }
    return adg_fail(error, ADG_USAGE, "option --%s: expected one of %s, not '%s'", option->name, list, value);
}

static enum adg_status set_option(struct adg_option *option, const char *value, struct adg_error *error)
{
    uint64_t number;
    if (option->given && option->kind != ADG_OPTION_LIST) {
        return adg_fail(error, ADG_USAGE, "option --%s is given twice", option->name);
    }
    option->given = true;
    switch (option->kind) {
    case ADG_OPTION_FLAG:
        *(bool *)option->target = true;
        return ADG_OK;
    case ADG_OPTION_TEXT:
        *(const char **)option->target = value;
        return ADG_OK;
    case ADG_OPTION_LIST:
        return add_to_list(option->target, value, error);
    case ADG_OPTION_COUNT:
    case ADG_OPTION_UINT64:
        if (!parse_uint64(value, &number) || (option->kind == ADG_OPTION_COUNT && number == 0)) {
            return adg_fail(error, ADG_USAGE, "option --%s: expected a whole number from %d to %" PRIu64 ", not '%s'",
                            option->name, option->kind == ADG_OPTION_COUNT ? 1 : 0, UINT64_MAX, value);
        }
        *(uint64_t *)option->target = number;
        return ADG_OK;
    case ADG_OPTION_CHOICE:
        return set_choice(option, value, error);
    }
    return ADG_OK;
}

static struct adg_option *find_option(struct adg_option *options, uint32_t count, const char *name, size_t length)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

/* Takes the option at argv[*at], and its value. */
static enum adg_status take_option(int argc, char **argv, int *at, struct adg_option *options, uint32_t count,
                                   struct adg_error *error)
{
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    struct adg_option *option = find_option(options, count, name, length);
    struct adg_option quiet_option = {.name = "quiet", .kind = ADG_OPTION_FLAG, .target = &quiet, .given = quiet};
    if (option == NULL && length == strlen("quiet") && memcmp(name, "quiet", length) == 0) {
        option = &quiet_option;
    }
    if (option == NULL) {
        return adg_fail(error, ADG_USAGE, "unknown option --%.*s", (int)length, name);
    }
    if (option->kind == ADG_OPTION_FLAG) {
        return value == NULL ? set_option(option, NULL, error)
                             : adg_fail(error, ADG_USAGE, "option --%s takes no value", option->name);
    }
    if (value == NULL && *at + 1 < argc && strncmp(argv[*at + 1], "--", 2) != 0) {
        value = argv[++*at];
    }
    if (value == NULL || *value == '\0') {
        return adg_fail(error, ADG_USAGE, "option --%s needs a value", option->name);
    }
    return set_option(option, value, error);
}

enum adg_status adg_cli_parse(int argc, char **argv, struct adg_option *options, uint32_t option_count,
                              const char **positional, uint32_t positional_max, uint32_t *positional_count, bool *help,
                              struct adg_error *error)
{
    bool options_end = false;
    uint32_t words = 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && strcmp(word, "--help") == 0) {
            *help = true;
            return ADG_OK;
        } else if (!options_end && strncmp(word, "--", 2) == 0) {
            enum adg_status status = take_option(argc, argv, &i, options, option_count, error);
            if (status != ADG_OK) {
                return status;
            }
        } else if (!options_end && word[0] == '-' && word[1] != '\0') {
            return adg_fail(error, ADG_USAGE, "unknown option %s; options have two dashes", word);
        } else if (words == positional_max) {
            return adg_fail(error, ADG_USAGE, "unexpected word '%s'", word);
        } else {
            positional[words++] = word;
        }
    }
    for (uint32_t i = 0; i < option_count; i++) {
        if (options[i].required && !options[i].given) {
            return adg_fail(error, ADG_USAGE, "option --%s is missing", options[i].name);
        }
    }
    if (positional_count != NULL) {
        *positional_count = words;
    }
    return ADG_OK;
}

void adg_cli_lists_free(struct adg_option *options, uint32_t option_count)
{
    for (uint32_t i = 0; i < option_count; i++) {
        if (options[i].kind == ADG_OPTION_LIST) {
            struct adg_option_list *list = options[i].target;
            adg_free(list->items);
            *list = (struct adg_option_list){0};
        }
    }
}

enum adg_status adg_cli_split_names(const char *text, const char *option, struct adg_cli_names *names,
                                    struct adg_error *error)
{
    if (text == NULL) {
        return ADG_OK;
    }
    names->copy = adg_strdup(text);
    names->names = adg_alloc_array(strlen(text) + 1, sizeof *names->names);
    if (names->copy == NULL || names->names == NULL) {
        return adg_fail_memory(error);
    }
    for (char *name = names->copy; name != NULL;) {
        char *comma = strchr(name, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        if (*name == '\0') {
            return adg_fail(error, ADG_USAGE, "option --%s: expected names of tables, with commas between them",
                            option);
        }
        names->names[names->count++] = name;
        name = comma != NULL ? comma + 1 : NULL;
    }
    return ADG_OK;
}

void adg_cli_names_fini(struct adg_cli_names *names)
{
    adg_free(names->copy);
    adg_free(names->names);
    *names = (struct adg_cli_names){0};
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

void adg_cli_say(const char *format, ...)
{
    va_list arguments;
    if (quiet) {
        return;
    }
    adg_cli_progress_end();
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void adg_cli_warn(const char *format, ...)
{
    va_list arguments;
    adg_cli_progress_end();
    fputs("adg: warning: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void adg_cli_warn_of(void *context, const char *message)
{
    (void)context;
    adg_cli_warn("%s", message);
}

int adg_cli_fail(const char *command, enum adg_status status, const struct adg_error *error)
{
    adg_cli_progress_end();
    fprintf(stderr, "adg %s: %s\n", command, error->message);
    if (status == ADG_USAGE) {
        fprintf(stderr, "Try 'adg %s --help'.\n", command);
    }
    return (int)status;
}

/* ---- exit code --------------------------------------------------------------------------------------------------- */

static int precedence(enum adg_status status)
{
    switch (status) {
    case ADG_USAGE:
        return 4;
    case ADG_REFUSED:
        return 3;
    case ADG_BAD_INPUT:
        return 2;
    case ADG_FAILED:
        return 1;
    case ADG_OK:
        break;
    }
    return 0;
}

void adg_cli_collect(enum adg_status *kept, struct adg_error *kept_error, enum adg_status status,
                     const struct adg_error *error)
{
    if (precedence(status) > precedence(*kept)) {
        *kept = status;
        *kept_error = *error;
    }
}
