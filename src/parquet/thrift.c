/*
 * Thrift compact protocol: see thrift.h.
 */
#include "parquet/thrift.h"

#include "parquet/varint.h"

static void put(struct adg_thrift_writer *writer, const void *data, size_t size)
{
    if (writer->status == ADG_OK) {
        writer->status = adg_buffer_append(writer->out, data, size, NULL);
    }
}

static void put_byte(struct adg_thrift_writer *writer, uint8_t byte)
{
    put(writer, &byte, 1);
}

static void put_varint(struct adg_thrift_writer *writer, uint64_t value)
{
    uint8_t bytes[ADG_VARINT_MAX_BYTES];
    put(writer, bytes, adg_varint_put(bytes, value));
}

static void put_field(struct adg_thrift_writer *writer, int16_t field, enum adg_thrift_type type)
{
    int16_t *last = &writer->last_field[writer->depth];
    if (field > *last && field - *last <= 15) {
        put_byte(writer, (uint8_t)((field - *last) << 4 | (int)type));
    } else {
        put_byte(writer, (uint8_t)type);
        put_varint(writer, adg_zigzag(field));
    }
    *last = field;
}

void adg_thrift_begin(struct adg_thrift_writer *writer)
{
    if (writer->depth + 1 == ADG_THRIFT_DEPTH) {
        writer->status = ADG_FAILED;
        return;
    }
    writer->last_field[++writer->depth] = 0;
}

void adg_thrift_end(struct adg_thrift_writer *writer)
{
    put_byte(writer, ADG_THRIFT_STOP);
    writer->depth--;
}

void adg_thrift_i32(struct adg_thrift_writer *writer, int16_t field, int32_t value)
{
    put_field(writer, field, ADG_THRIFT_I32);
    put_varint(writer, adg_zigzag(value));
}

void adg_thrift_i64(struct adg_thrift_writer *writer, int16_t field, int64_t value)
{
    put_field(writer, field, ADG_THRIFT_I64);
    put_varint(writer, adg_zigzag(value));
}

void adg_thrift_bool(struct adg_thrift_writer *writer, int16_t field, bool value)
{
    put_field(writer, field, value ? ADG_THRIFT_TRUE : ADG_THRIFT_FALSE);
}

void adg_thrift_byte(struct adg_thrift_writer *writer, int16_t field, int8_t value)
{
    put_field(writer, field, ADG_THRIFT_BYTE);
    put_byte(writer, (uint8_t)value);
}

void adg_thrift_binary(struct adg_thrift_writer *writer, int16_t field, const void *data, size_t size)
{
    put_field(writer, field, ADG_THRIFT_BINARY);
    adg_thrift_item_binary(writer, data, size);
}

void adg_thrift_text(struct adg_thrift_writer *writer, int16_t field, const char *text)
{
    adg_thrift_binary(writer, field, text, strlen(text));
}

void adg_thrift_struct_field(struct adg_thrift_writer *writer, int16_t field)
{
    put_field(writer, field, ADG_THRIFT_STRUCT);
}

void adg_thrift_list_field(struct adg_thrift_writer *writer, int16_t field, enum adg_thrift_type type, uint32_t count)
{
    put_field(writer, field, ADG_THRIFT_LIST);
    if (count < 15) {
        put_byte(writer, (uint8_t)(count << 4 | (unsigned)type));
    } else {
        put_byte(writer, (uint8_t)(0xF0 | (unsigned)type));
        put_varint(writer, count);
    }
}

void adg_thrift_item_i32(struct adg_thrift_writer *writer, int32_t value)
{
    put_varint(writer, adg_zigzag(value));
}

void adg_thrift_item_i64(struct adg_thrift_writer *writer, int64_t value)
{
    put_varint(writer, adg_zigzag(value));
}

void adg_thrift_item_bool(struct adg_thrift_writer *writer, bool value)
{
    put_byte(writer, value ? ADG_THRIFT_TRUE : ADG_THRIFT_FALSE);
}

void adg_thrift_item_binary(struct adg_thrift_writer *writer, const void *data, size_t size)
{
    put_varint(writer, size);
    put(writer, data, size);
}

void adg_thrift_raw(struct adg_thrift_writer *writer, const void *data, size_t size)
{
    put(writer, data, size);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static uint8_t take_byte(struct adg_thrift_reader *reader)
{
    if (reader->bad || reader->next == reader->end) {
        reader->bad = true;
        return 0;
    }
    return *reader->next++;
}

static uint64_t take_varint(struct adg_thrift_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = take_byte(reader);
        value |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            return reader->bad ? 0 : value;
        }
    }
    reader->bad = true;
    return 0;
}

static int64_t take_int(struct adg_thrift_reader *reader)
{
    uint64_t value = take_varint(reader);
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

void adg_thrift_enter(struct adg_thrift_reader *reader)
{
    if (reader->depth + 1 == ADG_THRIFT_DEPTH) {
        reader->bad = true;
        return;
    }
    reader->last_field[++reader->depth] = 0;
}

bool adg_thrift_next(struct adg_thrift_reader *reader, struct adg_thrift_field *field)
{
    uint8_t byte = take_byte(reader);
    if (reader->bad) {
        return false;
    }
    if (byte == ADG_THRIFT_STOP) {
        reader->depth--;
        return false;
    }
    int16_t *last = &reader->last_field[reader->depth];
    int64_t id = byte >> 4 != 0 ? *last + (byte >> 4) : take_int(reader);
    if (id <= 0 || id > INT16_MAX || (byte & 0x0F) > ADG_THRIFT_STRUCT) {
        reader->bad = true;
        return false;
    }
    *last = (int16_t)id;
    *field = (struct adg_thrift_field){(int16_t)id, (enum adg_thrift_type)(byte & 0x0F)};
    return true;
}

int64_t adg_thrift_read_int(struct adg_thrift_reader *reader, enum adg_thrift_type type)
{
    if (type != ADG_THRIFT_I16 && type != ADG_THRIFT_I32 && type != ADG_THRIFT_I64) {
        reader->bad = true;
        return 0;
    }
    return take_int(reader);
}

struct adg_span adg_thrift_read_binary(struct adg_thrift_reader *reader, enum adg_thrift_type type)
{
    uint64_t size = type == ADG_THRIFT_BINARY ? take_varint(reader) : UINT64_MAX;
    if (reader->bad || size > (uint64_t)(reader->end - reader->next)) {
        reader->bad = true;
        return (struct adg_span){NULL, 0};
    }
    struct adg_span span = {reader->next, size};
    reader->next += size;
    return span;
}

static uint32_t take_list_header(struct adg_thrift_reader *reader, enum adg_thrift_type *items)
{
    uint8_t byte = take_byte(reader);
    uint64_t count = byte >> 4 == 15 ? take_varint(reader) : byte >> 4;
    *items = (enum adg_thrift_type)(byte & 0x0F);
    if (reader->bad || count > (uint64_t)(reader->end - reader->next) || (byte & 0x0F) > ADG_THRIFT_STRUCT) {
        reader->bad = true; /* every item has at least one byte */
        return 0;
    }
    return (uint32_t)count;
}

uint32_t adg_thrift_read_list(struct adg_thrift_reader *reader, enum adg_thrift_type type, enum adg_thrift_type wanted)
{
    enum adg_thrift_type items = ADG_THRIFT_STOP;
    uint32_t count = type == ADG_THRIFT_LIST ? take_list_header(reader, &items) : 0;
    if (type != ADG_THRIFT_LIST || items != wanted) {
        reader->bad = true;
        return 0;
    }
    return count;
}

static void skip_item(struct adg_thrift_reader *reader, enum adg_thrift_type type)
{
    if (type == ADG_THRIFT_TRUE || type == ADG_THRIFT_FALSE) {
        take_byte(reader); /* in a list a boolean has a byte of its own */
    } else {
        adg_thrift_skip(reader, type);
    }
}

void adg_thrift_skip(struct adg_thrift_reader *reader, enum adg_thrift_type type)
{
    struct adg_thrift_field field;
    enum adg_thrift_type items;
    switch (type) {
    case ADG_THRIFT_TRUE:
    case ADG_THRIFT_FALSE:
        return;
    case ADG_THRIFT_BYTE:
        take_byte(reader);
        return;
    case ADG_THRIFT_I16:
    case ADG_THRIFT_I32:
    case ADG_THRIFT_I64:
        take_varint(reader);
        return;
    case ADG_THRIFT_DOUBLE:
        for (int i = 0; i < 8; i++) {
            take_byte(reader);
        }
        return;
    case ADG_THRIFT_BINARY:
        adg_thrift_read_binary(reader, type);
        return;
    case ADG_THRIFT_LIST:
    case ADG_THRIFT_SET:
        adg_thrift_enter(reader); /* lists nest as structures do */
        for (uint32_t count = take_list_header(reader, &items); count > 0 && !reader->bad; count--) {
            skip_item(reader, items);
        }
        reader->depth -= reader->bad ? 0 : 1;
        return;
    case ADG_THRIFT_STRUCT:
        adg_thrift_enter(reader);
        while (!reader->bad && adg_thrift_next(reader, &field)) {
            adg_thrift_skip(reader, field.type);
        }
        return;
    case ADG_THRIFT_STOP:
    case ADG_THRIFT_MAP: /* not in anything that we write */
        reader->bad = true;
        return;
    }
}
