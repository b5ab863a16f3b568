/*
 * Rows by patient: see people.h.
 */
#include "scrape/people.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/stop.h"
#include "engine/spill.h"

enum { PARTITION_BITS = 6, PARTITIONS = 1 << PARTITION_BITS, FEW = 24, STOP_EVERY = 1 << 16 };

/* A row; codes follow. */
struct record {
    uint64_t patient[2];
    uint64_t primary; /* 0: null */
};

struct adg_people {
    uint32_t fields;
    size_t record_bytes, limit;
    struct adg_buffer records;
    FILE *partitions[PARTITIONS];
    bool spilled;
    const char *folder;
    struct adg_person_field *persons;
    struct adg_counter cardinalities;
    uint32_t *scratch; /* codes of one patient */
    size_t scratch_count;
    struct adg_buffer pattern;
};

/* ---- hashing ----------------------------------------------------------------------------------------------------- */

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static unsigned char hash_key[crypto_shorthash_siphashx24_KEYBYTES];

static void make_key(void)
{
    if (sodium_init() >= 0) {
        randombytes_buf(hash_key, sizeof hash_key);
    }
}

struct adg_patient adg_patient_of(struct adg_span key)
{
    struct adg_patient patient;
    pthread_once(&key_once, make_key);
    crypto_shorthash_siphashx24((unsigned char *)patient.words, key.data, key.size, hash_key);
    patient.words[1] |= 1;
    return patient;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

enum adg_status adg_people_new(uint32_t fields, uint64_t memory_bytes, const char *folder, struct adg_people **out,
                               struct adg_error *error)
{
    struct adg_people *people = adg_alloc_zero(1, sizeof *people);
    if (people == NULL) {
        return adg_fail_memory(error);
    }
    people->fields = fields;
    people->record_bytes = sizeof(struct record) + (fields + fields % 2) * sizeof(uint32_t);
    people->limit = memory_bytes > SIZE_MAX / 4 ? SIZE_MAX / 4 : (size_t)memory_bytes;
    people->folder = folder;
    people->persons = adg_alloc_zero(fields + (size_t)1, sizeof *people->persons);
    if (people->persons == NULL) {
        adg_free(people);
        return adg_fail_memory(error);
    }
    for (uint32_t f = 0; f < fields; f++) {
        adg_counter_init(&people->persons[f].values, ADG_COUNT_TEXT, 0, NULL);
        adg_counter_init(&people->persons[f].patterns, ADG_COUNT_TEXT, 0, NULL);
    }
    adg_counter_init(&people->cardinalities, ADG_COUNT_INT, 0, NULL);
    *out = people;
    return ADG_OK;
}

void adg_people_free(struct adg_people *people)
{
    if (people == NULL) {
        return;
    }
    for (uint32_t f = 0; f < people->fields; f++) {
        adg_counter_fini(&people->persons[f].values);
        adg_counter_fini(&people->persons[f].patterns);
        adg_free(people->persons[f].modes);
    }
    for (int p = 0; p < PARTITIONS; p++) {
        if (people->partitions[p] != NULL) {
            fclose(people->partitions[p]);
        }
    }
    adg_counter_fini(&people->cardinalities);
    adg_buffer_fini(&people->records);
    adg_buffer_fini(&people->pattern);
    adg_free(people->persons);
    adg_free(people->scratch);
    adg_free(people);
}

enum adg_status adg_people_code(struct adg_people *people, uint32_t field, struct adg_span text, uint32_t *code,
                                struct adg_error *error)
{
    return adg_counter_index(&people->persons[field].values, text, code, error);
}

/* All records to their partitions. */
static enum adg_status spill(struct adg_people *people, struct adg_error *error)
{
    enum adg_status status = adg_stop_check(error);
    for (size_t at = 0; at < people->records.size && status == ADG_OK; at += people->record_bytes) {
        const struct record *record = (const struct record *)(const void *)(people->records.data + at);
        int number = (int)(record->patient[1] >> (64 - PARTITION_BITS));
        status = people->partitions[number] == NULL
                     ? adg_spill_open_file(people->folder, &people->partitions[number], error)
                     : ADG_OK;
        if (status == ADG_OK && fwrite(record, people->record_bytes, 1, people->partitions[number]) != 1) {
            status = adg_fail_errno(error, errno, "rows cannot be spilled to %s", people->folder);
        }
    }
    people->records.size = 0;
    people->spilled = true;
    return status;
}

enum adg_status adg_people_add(struct adg_people *people, const struct adg_patient *patient,
                               const struct adg_patient *primary, const uint32_t *codes, struct adg_error *error)
{
    const struct record record = {{patient->words[0], patient->words[1]}, primary != NULL ? primary->words[0] | 1 : 0};
    enum adg_status status = people->records.size + people->record_bytes > people->limit && people->records.size > 0
                                 ? spill(people, error)
                                 : ADG_OK;
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&people->records, people->record_bytes, error);
    }
    if (status == ADG_OK) {
        uint8_t *to = people->records.data + people->records.size;
        memset(to, 0, people->record_bytes);
        memcpy(to, &record, sizeof record);
        if (people->fields > 0) {
            memcpy(to + sizeof record, codes, people->fields * sizeof *codes);
        }
        people->records.size += people->record_bytes;
    }
    return status;
}

/* ---- one patient ------------------------------------------------------------------------------------------------- */

static int compare_codes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Whether `code` comes before `other`: null first, then by bytes. */
static bool comes_before(const struct adg_person_field *person, uint32_t code, uint32_t other)
{
    if (code == ADG_NULL_CODE || other == ADG_NULL_CODE) {
        return code == ADG_NULL_CODE;
    }
    return adg_span_compare(adg_counter_text(&person->values, &person->values.entries[code]),
                            adg_counter_text(&person->values, &person->values.entries[other])) < 0;
}

/* Sorted codes of a patient's rows: its pattern, and its most frequent value. */
static enum adg_status describe(struct adg_people *people, struct adg_person_field *person, const uint32_t *codes,
                                size_t rows, struct adg_error *error)
{
    uint32_t best = 0;
    uint64_t best_rows = 0;
    enum adg_status status = ADG_OK;
    people->pattern.size = 0;
    for (size_t first = 0, end; first < rows && status == ADG_OK; first = end) {
        for (end = first + 1; end < rows && codes[end] == codes[first]; end++) {
        }
        uint64_t of_it = end - first;
        const struct adg_pattern_item item = {codes[first], (uint32_t)((20 * of_it + rows) / (2 * rows))};
        status = adg_buffer_append(&people->pattern, &item, sizeof item, error);
        if (of_it > best_rows || (of_it == best_rows && comes_before(person, codes[first], best))) {
            best = codes[first];
            best_rows = of_it;
        }
    }
    uint32_t ignored;
    if (status == ADG_OK) {
        status = adg_counter_index(&person->patterns, (struct adg_span){people->pattern.data, people->pattern.size},
                                   &ignored, error);
    }
    if (status == ADG_OK) {
        struct adg_mode *mode = &person->modes[best == ADG_NULL_CODE ? person->mode_count - 1 : best];
        mode->patients++;
        mode->millionths += (2000000 * best_rows + rows) / (2 * rows);
    }
    return status;
}

static const struct record *record_at(const struct adg_people *people, uint32_t number)
{
    return (const struct record *)(const void *)(people->records.data + (size_t)number * people->record_bytes);
}

static bool same_patient(const struct record *a, const struct record *b)
{
    return a->patient[0] == b->patient[0] && a->patient[1] == b->patient[1];
}

/* The rows of one patient, ascending by primary key. */
static enum adg_status take_patient(struct adg_people *people, const uint32_t *order, size_t rows,
                                    struct adg_error *error)
{
    int64_t keys = 0;
    uint64_t last = 0; /* null keys come first, and are none */
    for (size_t i = 0; i < rows; i++) {
        uint64_t primary = record_at(people, order[i])->primary;
        keys += primary != last;
        last = primary;
    }
    enum adg_status status = adg_counter_add_int(&people->cardinalities, keys, ADG_NOBODY, error);
    if (rows > people->scratch_count && status == ADG_OK) {
        uint32_t *scratch = adg_realloc_array(people->scratch, 2 * rows, sizeof *scratch);
        if (scratch == NULL) {
            return adg_fail_memory(error);
        }
        people->scratch = scratch;
        people->scratch_count = 2 * rows;
    }
    for (uint32_t f = 0; f < people->fields && status == ADG_OK; f++) {
        for (size_t i = 0; i < rows; i++) {
            memcpy(&people->scratch[i], (const uint8_t *)(record_at(people, order[i]) + 1) + f * sizeof(uint32_t),
                   sizeof(uint32_t));
        }
        if (rows > 1) {
            qsort(people->scratch, rows, sizeof *people->scratch, compare_codes);
        }
        status = describe(people, &people->persons[f], people->scratch, rows, error);
    }
    return status;
}

/* ---- all patients ------------------------------------------------------------------------------------------------ */

static int compare_records(const void *a, const void *b, void *context)
{
    const struct adg_people *people = context;
    const struct record *x = record_at(people, *(const uint32_t *)a), *y = record_at(people, *(const uint32_t *)b);
    if (x->patient[0] != y->patient[0]) {
        return x->patient[0] < y->patient[0] ? -1 : 1;
    }
    if (x->patient[1] != y->patient[1]) {
        return x->patient[1] < y->patient[1] ? -1 : 1;
    }
    return (x->primary > y->primary) - (x->primary < y->primary);
}

static void sort_bucket(struct adg_people *people, uint32_t *order, uint32_t count)
{
    if (count > FEW) {
        qsort_r(order, count, sizeof *order, compare_records, people);
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        uint32_t number = order[i], at = i;
        for (; at > 0 && compare_records(&order[at - 1], &number, people) > 0; at--) {
            order[at] = order[at - 1];
        }
        order[at] = number;
    }
}

static enum adg_status take_bucket(struct adg_people *people, uint32_t *order, uint32_t count, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    sort_bucket(people, order, count);
    for (uint32_t first = 0, end; first < count && status == ADG_OK; first = end) {
        for (end = first + 1;
             end < count && same_patient(record_at(people, order[first]), record_at(people, order[end])); end++) {
        }
        status = take_patient(people, order + first, end - first, error);
    }
    return status;
}

/* The records in memory, which are all those of their patients: into buckets of a few by hash, then each sorted. */
static enum adg_status take_records(struct adg_people *people, struct adg_error *error)
{
    size_t count = people->records.size / people->record_bytes;
    unsigned bits = 0;
    while (bits < 28 && count >> bits > 8) {
        bits++;
    }
    if (count > UINT32_MAX) {
        return adg_fail(error, ADG_FAILED, "more rows in memory than can be numbered");
    }
    size_t buckets = (size_t)1 << bits, mask = buckets - 1;
    uint32_t *starts = adg_alloc_zero(buckets + 1, sizeof *starts);
    uint32_t *order = adg_alloc_array(count + 1, sizeof *order);
    enum adg_status status = starts == NULL || order == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        for (uint32_t i = 0; i < count; i++) {
            starts[(record_at(people, i)->patient[0] & mask) + 1]++;
        }
        for (size_t b = 0; b < buckets; b++) {
            starts[b + 1] += starts[b];
        }
        for (uint32_t i = 0; i < count; i++) { /* starts[b] ends as the start of b + 1 */
            order[starts[record_at(people, i)->patient[0] & mask]++] = i;
        }
    }
    for (size_t b = 0; b < buckets && status == ADG_OK; b++) {
        uint32_t first = b > 0 ? starts[b - 1] : 0;
        status = b % STOP_EVERY == 0 ? adg_stop_check(error) : ADG_OK;
        if (status == ADG_OK) {
            status = take_bucket(people, order + first, starts[b] - first, error);
        }
    }
    adg_free(starts);
    adg_free(order);
    return status;
}

static enum adg_status take_partition(struct adg_people *people, FILE *file, struct adg_error *error)
{
    if (fflush(file) != 0 || fseek(file, 0, SEEK_END) != 0) {
        return adg_fail_errno(error, errno, "rows cannot be spilled to %s", people->folder);
    }
    long size = ftell(file);
    people->records.size = 0;
    enum adg_status status = size < 0 || fseek(file, 0, SEEK_SET) != 0
                                 ? adg_fail_errno(error, errno, "rows that were spilled cannot be read")
                                 : adg_buffer_reserve(&people->records, (size_t)size + 1, error);
    if (status == ADG_OK && fread(people->records.data, 1, (size_t)size, file) != (size_t)size) {
        status = adg_fail(error, ADG_FAILED, "rows that were spilled cannot be read");
    }
    if (status == ADG_OK) {
        people->records.size = (size_t)size;
        status = take_records(people, error);
    }
    return status;
}

enum adg_status adg_people_finish(struct adg_people *people, struct adg_error *error)
{
    enum adg_status status = people->spilled ? spill(people, error) : ADG_OK;
    for (uint32_t f = 0; f < people->fields && status == ADG_OK; f++) {
        struct adg_person_field *person = &people->persons[f];
        person->mode_count = (uint32_t)person->values.count + 1;
        person->modes = adg_alloc_zero(person->mode_count, sizeof *person->modes);
        status = person->modes == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    if (status == ADG_OK && !people->spilled) {
        status = take_records(people, error);
    }
    for (int p = 0; p < PARTITIONS && status == ADG_OK; p++) {
        if (people->partitions[p] != NULL) {
            status = take_partition(people, people->partitions[p], error);
            fclose(people->partitions[p]);
            people->partitions[p] = NULL;
        }
    }
    adg_buffer_fini(&people->records);
    return status;
}

const struct adg_counter *adg_people_cardinalities(const struct adg_people *people)
{
    return &people->cardinalities;
}

const struct adg_person_field *adg_people_field(const struct adg_people *people, uint32_t field)
{
    return &people->persons[field];
}
