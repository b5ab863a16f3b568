/*
 * For shared objects: Debian's archive of jansson is compiled for programs, and the one thing in it that hinders linking it into a
 * shared object is a comparison with stdin, by which it names a source in a message. With --wrap=stdin it compares with this.
 */
#include <stdio.h>

extern FILE *__wrap_stdin;
FILE *__wrap_stdin = NULL;
