/*
 * What looks like personal data: names of columns, and values.
 */
#ifndef ADG_CLASSIFY_PERSONAL_H
#define ADG_CLASSIFY_PERSONAL_H

#include <stdbool.h>

#include "core/buffer.h"

enum adg_personal {
    ADG_PERSONAL_NONE,
    ADG_PERSONAL_EMAIL,
    ADG_PERSONAL_PHONE,
    ADG_PERSONAL_POSTCODE,
    ADG_PERSONAL_HEALTH_NUMBER, /* ten digits whose last is the check digit of an NHS number */
    ADG_PERSONAL_PROSE,         /* several words: text that somebody wrote */
    ADG_PERSONAL_NAME,          /* the rest by the column's name alone */
    ADG_PERSONAL_ADDRESS,
    ADG_PERSONAL_BIRTH,
    ADG_PERSONAL_NUMBER,
};
#define ADG_PERSONAL_KINDS (ADG_PERSONAL_PROSE + 1) /* those that values show */

/* "an e-mail address", ... */
const char *adg_personal_text(enum adg_personal kind);

/* What the value looks like. */
enum adg_personal adg_personal_value(struct adg_span text);
/* What the column's name says it holds; NONE where it says that of an organisation or a thing. */
enum adg_personal adg_personal_column(const char *name);

/* Whether the name speaks of an organisation, a place or a thing: HOSPITAL_NAME. */
bool adg_name_of_thing(const char *name);

/* The column's name in words: runs of letters, or of digits, in lower case; a capital after a small letter begins a new one. Returns how many there
 * are; what is behind the last is left out. */
struct adg_word {
    char text[24]; /* cut where it is longer */
};
#define ADG_NAME_WORDS 12
unsigned adg_name_words(const char *name, struct adg_word words[ADG_NAME_WORDS]);
bool adg_word_is_among(const char *word, const char *const *list); /* NULL at the end */

#endif
