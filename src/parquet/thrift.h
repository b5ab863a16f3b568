/*
 * Thrift's compact protocol, as much of it as Parquet's page headers and footer need
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
 */
#ifndef ADG_PARQUET_THRIFT_H
#define ADG_PARQUET_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

enum adg_thrift_type {
    ADG_THRIFT_STOP = 0,
    ADG_THRIFT_TRUE = 1,
    ADG_THRIFT_FALSE = 2,
    ADG_THRIFT_BYTE = 3,
    ADG_THRIFT_I16 = 4,
    ADG_THRIFT_I32 = 5,
    ADG_THRIFT_I64 = 6,
    ADG_THRIFT_DOUBLE = 7,
    ADG_THRIFT_BINARY = 8,
    ADG_THRIFT_LIST = 9,
    ADG_THRIFT_SET = 10,
    ADG_THRIFT_MAP = 11,
    ADG_THRIFT_STRUCT = 12,
};

enum { ADG_THRIFT_DEPTH = 16 };

/* Writing. The first failure (no memory) is kept in `status`; what follows does nothing. */
struct adg_thrift_writer {
    struct adg_buffer *out;
    enum adg_status status;
    int16_t last_field[ADG_THRIFT_DEPTH];
    unsigned depth;
};

/* A structure is written between begin and end: begin at top level, or after _struct_field or inside a list. */
void adg_thrift_begin(struct adg_thrift_writer *writer);
void adg_thrift_end(struct adg_thrift_writer *writer);
void adg_thrift_i32(struct adg_thrift_writer *writer, int16_t field, int32_t value);
void adg_thrift_i64(struct adg_thrift_writer *writer, int16_t field, int64_t value);
void adg_thrift_bool(struct adg_thrift_writer *writer, int16_t field, bool value);
void adg_thrift_byte(struct adg_thrift_writer *writer, int16_t field, int8_t value);
void adg_thrift_binary(struct adg_thrift_writer *writer, int16_t field, const void *data, size_t size);
void adg_thrift_text(struct adg_thrift_writer *writer, int16_t field, const char *text);
void adg_thrift_struct_field(struct adg_thrift_writer *writer, int16_t field); /* then begin ... end */
void adg_thrift_list_field(struct adg_thrift_writer *writer, int16_t field, enum adg_thrift_type type, uint32_t count);
/* Items of a list. */
void adg_thrift_item_i32(struct adg_thrift_writer *writer, int32_t value);
void adg_thrift_item_i64(struct adg_thrift_writer *writer, int64_t value);
void adg_thrift_item_bool(struct adg_thrift_writer *writer, bool value);
void adg_thrift_item_binary(struct adg_thrift_writer *writer, const void *data, size_t size);
/* Bytes that are thrift already. */
void adg_thrift_raw(struct adg_thrift_writer *writer, const void *data, size_t size);

/* Reading. `bad` is set at the first thing that cannot be; what is read from then on is zero. */
struct adg_thrift_reader {
    const uint8_t *next, *end;
    bool bad;
    int16_t last_field[ADG_THRIFT_DEPTH];
    unsigned depth;
};

struct adg_thrift_field {
    int16_t id;
    enum adg_thrift_type type;
};

void adg_thrift_enter(struct adg_thrift_reader *reader);
/* The next field of the structure; false at its end (which is then left) or when the bytes are bad. */
bool adg_thrift_next(struct adg_thrift_reader *reader, struct adg_thrift_field *field);
void adg_thrift_skip(struct adg_thrift_reader *reader, enum adg_thrift_type type);
int64_t adg_thrift_read_int(struct adg_thrift_reader *reader, enum adg_thrift_type type); /* I16, I32, I64; else bad */
struct adg_span adg_thrift_read_binary(struct adg_thrift_reader *reader, enum adg_thrift_type type);
/* The number of items, of type `wanted`, or bad. Never more than bytes are left. */
uint32_t adg_thrift_read_list(struct adg_thrift_reader *reader, enum adg_thrift_type type, enum adg_thrift_type wanted);

#endif
