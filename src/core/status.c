/*
 * Messages of failures: see status.h.
 */
#include "core/status.h"

#include <stdio.h>
#include <string.h>

/* A cut message must not end inside a UTF-8 sequence. */
static void trim_to_character(char *text, size_t size)
{
    size_t length = strlen(text);
    if (length + 1 < size) {
        return;
    }
    while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80) {
        length--;
    }
    if (length > 0 && (unsigned char)text[length - 1] >= 0xC0) {
        length--;
    }
    text[length] = '\0';
}

ADG_PRINTF(2, 0) static void write_message(struct adg_error *error, const char *format, va_list arguments)
{
    if (error == NULL) {
        return;
    }
    char message[sizeof error->message]; /* an argument may point into the old message */
    vsnprintf(message, sizeof message, format, arguments);
    trim_to_character(message, sizeof message);
    memcpy(error->message, message, sizeof message);
}

enum adg_status adg_fail(struct adg_error *error, enum adg_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(error, format, arguments);
    va_end(arguments);
    return status;
}

enum adg_status adg_context(struct adg_error *error, enum adg_status status, const char *format, ...)
{
    if (status == ADG_OK || error == NULL) {
        return status;
    }
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    int context = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (context < 0 || (size_t)context >= sizeof message) {
        return status;
    }
    snprintf(message + context, sizeof message - (size_t)context, ": %.*s", (int)(sizeof message - (size_t)context),
             error->message);
    trim_to_character(message, sizeof message);
    memcpy(error->message, message, sizeof message);
    return status;
}

enum adg_status adg_fail_memory(struct adg_error *error)
{
    return adg_fail(error, ADG_FAILED, "out of memory");
}

enum adg_status adg_fail_errno(struct adg_error *error, int error_number, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(error, format, arguments);
    va_end(arguments);
    if (error != NULL) {
        char text[128];
        size_t length = strlen(error->message);
        snprintf(error->message + length, sizeof error->message - length, ": %s",
                 strerror_r(error_number, text, sizeof text));
        trim_to_character(error->message, sizeof error->message);
    }
    return ADG_FAILED;
}
