/*
 * Counting values and patients: the same counts whether there is memory for them or not, held against plain loops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "scrape/people.h"

static char folder[] = "/tmp/test_count_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return adg_folder_remove(folder, NULL) == ADG_OK ? 0 : -1;
}

enum { RECORDS = 50000, VALUES = 3000, PATIENTS = 9, ENOUGH = 4 };

/* Record i has value (7919 i + i / 11) mod 3000 and patient (i / 7) mod (1 + value mod 9): so value v has up to 1 + v mod 9 patients. */
static uint32_t value_of(uint64_t i)
{
    return (uint32_t)((i * 7919 + i / 11) % VALUES);
}

static uint64_t patient_of(uint64_t i)
{
    return i / 7 % (1 + value_of(i) % PATIENTS);
}

struct expected {
    uint64_t records;
    uint32_t patients;
    bool seen[PATIENTS], found;
};

static struct expected *count_plainly(void)
{
    struct expected *expected = calloc(VALUES, sizeof *expected);
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct expected *value = &expected[value_of(i)];
        value->records++;
        value->patients += !value->seen[patient_of(i)];
        value->seen[patient_of(i)] = true;
    }
    return expected;
}

/* Texts of 1 to some 40 bytes: beyond eight they lie elsewhere. */
static struct adg_span text_of(uint32_t value, char text[64])
{
    int size = snprintf(text, 64, "%u%.*s", value, (int)(value % 37), "-------------------------------------");
    return (struct adg_span){(const uint8_t *)text, (size_t)size};
}

static void add(struct adg_counter *counter, uint64_t i)
{
    char text[64];
    uint64_t patient = (patient_of(i) + 1) * UINT64_C(0x9E3779B97F4A7C15);
    enum adg_status status = ADG_OK;
    switch (counter->kind) {
    case ADG_COUNT_TEXT:
        status = adg_counter_add_text(counter, text_of(value_of(i), text), patient, NULL);
        break;
    case ADG_COUNT_INT:
        status = adg_counter_add_int(counter, (int64_t)value_of(i) - 1500, patient, NULL);
        break;
    case ADG_COUNT_DOUBLE:
        status = adg_counter_add_double(counter, value_of(i) / 8.0, patient, NULL);
        break;
    }
    assert_int_equal(status, ADG_OK);
}

static uint32_t value_back(const struct adg_counter *counter, const struct adg_count *entry)
{
    if (counter->kind == ADG_COUNT_TEXT) {
        char text[64], number[16] = "";
        struct adg_span found = adg_counter_text(counter, entry);
        memcpy(number, found.data, found.size < 8 ? found.size : 8);
        uint32_t value = (uint32_t)strtoul(number, NULL, 10);
        struct adg_span wanted = text_of(value, text);
        assert_int_equal(found.size, wanted.size);
        assert_memory_equal(found.data, wanted.data, wanted.size);
        return value;
    }
    return counter->kind == ADG_COUNT_INT ? (uint32_t)((int64_t)entry->bits + 1500)
                                          : (uint32_t)(adg_counter_double(entry) * 8);
}

static void test_counts(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        for (uint64_t limit = 0; limit <= 20000; limit += 20000) { /* bytes; 0: as much as it takes */
            struct adg_count_memory memory = {.limit = limit, .folder = folder};
            struct adg_counter counter;
            struct expected *expected = count_plainly();
            uint32_t found = 0, passes = 0;
            bool more = true;
            adg_counter_init(&counter, (enum adg_count_kind)kind, ENOUGH, &memory);
            for (uint64_t i = 0; i < RECORDS; i++) {
                add(&counter, i);
                if (i % 10 == 0) {
                    assert_int_equal(adg_counter_add_null(&counter, i % 3 + 1, NULL), ADG_OK);
                }
            }
            for (; more; passes++) {
                for (size_t e = 0; e < counter.count; e++, found++) {
                    const struct adg_count *entry = &counter.entries[e];
                    struct expected *value = &expected[value_back(&counter, entry)];
                    assert_false(value->found); /* no value comes twice */
                    value->found = true;
                    assert_int_equal(entry->records, value->records);
                    assert_int_equal(entry->patients, value->patients < ENOUGH ? value->patients : ENOUGH);
                }
                assert_int_equal(adg_counter_next_pass(&counter, &more, NULL), ADG_OK);
            }
            assert_int_equal(counter.null.records, RECORDS / 10);
            assert_int_equal(counter.null.patients, 3);
            assert_true(limit == 0 ? passes == 1 : passes > 3);
            for (uint32_t v = 0; v < VALUES; v++) {
                assert_int_equal(expected[v].found, expected[v].records > 0);
            }
            adg_counter_fini(&counter);
            assert_int_equal(memory.used, 0);
            free(expected);
        }
    }
}

static void test_patient_sets(void **state)
{
    (void)state;
    struct adg_counter counter;
    struct adg_patient_set set = {{0}};
    adg_counter_init(&counter, ADG_COUNT_INT, 3, NULL);
    static const struct {
        int64_t value;
        uint64_t patient;
    } records[] = {{1, 7}, {1, 7}, {2, 7}, {2, 8}, {3, 1}, {3, 2}, {3, 3}};
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        assert_int_equal(adg_counter_add_int(&counter, records[i].value, records[i].patient, NULL), ADG_OK);
    }
    static const uint32_t after[] = {1, 2, 3}; /* {7}, {7, 8}, and the third has enough by itself */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(adg_patient_set_add(&set, &counter.entries[i], 3, NULL), ADG_OK);
        assert_int_equal(set.all.patients, after[i]);
    }
    adg_patient_set_fini(&set);
    adg_counter_fini(&counter);
}

/* ---- people ------------------------------------------------------------------------------------------------------ */

static struct adg_patient hash_of(const char *text)
{
    return adg_patient_of((struct adg_span){(const uint8_t *)text, strlen(text)});
}

static enum adg_status add_row(struct adg_people *people, const char *patient, const char *primary, const char *value)
{
    struct adg_patient who = hash_of(patient), key = hash_of(primary != NULL ? primary : "");
    uint32_t code = ADG_NULL_CODE;
    enum adg_status status = ADG_OK;
    if (value != NULL) {
        status = adg_people_code(people, 0, (struct adg_span){(const uint8_t *)value, strlen(value)}, &code, NULL);
    }
    return status == ADG_OK ? adg_people_add(people, &who, primary != NULL ? &key : NULL, &code, NULL) : status;
}

/* Patients 0 to 999: one in ten has rows 1, 1, 2; one in ten 1 and null under one key twice; the others one row of 2. */
static enum adg_status add_rows(struct adg_people *people)
{
    enum adg_status status = ADG_OK;
    for (int round = 0; round < 3; round++) { /* rows of a patient are far apart */
        for (int p = 0; p < 1000 && status == ADG_OK; p++) {
            char patient[16], key[32];
            snprintf(patient, sizeof patient, "p%d", p);
            snprintf(key, sizeof key, "k%d-%d", p, round);
            if (p % 10 == 0) {
                status = add_row(people, patient, key, round < 2 ? "1" : "2");
            } else if (p % 10 == 1 && round < 2) {
                snprintf(key, sizeof key, "k%d", p);
                status = add_row(people, patient, key, round == 0 ? "1" : NULL);
            } else if (p % 10 > 1 && round == 0) {
                status = add_row(people, patient, p % 10 == 2 ? NULL : key, "2");
            }
        }
    }
    return status;
}

static uint64_t cardinality(const struct adg_people *people, uint64_t keys)
{
    const struct adg_counter *counter = adg_people_cardinalities(people);
    for (size_t i = 0; i < counter->count; i++) {
        if (counter->entries[i].bits == keys) {
            return counter->entries[i].records;
        }
    }
    return 0;
}

/* Patients with the pattern: pairs of a code and tenths. */
static uint64_t pattern(const struct adg_person_field *person, const struct adg_pattern_item *items, size_t count)
{
    for (size_t i = 0; i < person->patterns.count; i++) {
        struct adg_span found = adg_counter_text(&person->patterns, &person->patterns.entries[i]);
        if (found.size == count * sizeof *items && memcmp(found.data, items, found.size) == 0) {
            return person->patterns.entries[i].records;
        }
    }
    return 0;
}

static void check_people(const struct adg_people *people)
{
    const struct adg_person_field *person = adg_people_field(people, 0);
    /* 100 have three keys; 100 one key in two rows and 700 one; 100 a null key, which is none */
    assert_int_equal(cardinality(people, 3), 100);
    assert_int_equal(cardinality(people, 1), 800);
    assert_int_equal(cardinality(people, 0), 100);
    assert_int_equal(person->values.count, 2);
    assert_memory_equal(adg_counter_text(&person->values, &person->values.entries[0]).data, "1", 1); /* it came first */
    /* 2 of 3 is 0.67, 1 of 3 is 0.33 */
    assert_int_equal(pattern(person, (const struct adg_pattern_item[]){{0, 7}, {1, 3}}, 2), 100);
    assert_int_equal(pattern(person, (const struct adg_pattern_item[]){{0, 5}, {ADG_NULL_CODE, 5}}, 2), 100);
    assert_int_equal(pattern(person, (const struct adg_pattern_item[]){{1, 10}}, 1), 800);
    /* 1 is the commonest of 100, in 666,667 millionths of their rows; of one each null comes before 1 */
    assert_int_equal(person->mode_count, 3);
    assert_int_equal(person->modes[0].patients, 100);
    assert_int_equal(person->modes[0].millionths, 100 * UINT64_C(666667));
    assert_int_equal(person->modes[1].patients, 800);
    assert_int_equal(person->modes[1].millionths, 800 * UINT64_C(1000000));
    assert_int_equal(person->modes[2].patients, 100);
    assert_int_equal(person->modes[2].millionths, 100 * UINT64_C(500000));
}

static void test_people(void **state)
{
    (void)state;
    for (uint64_t memory = 1000; memory <= 1000000; memory *= 1000) { /* a fiftieth of the rows, or all of them */
        struct adg_people *people = NULL;
        assert_int_equal(adg_people_new(1, memory, folder, &people, NULL), ADG_OK);
        assert_int_equal(add_rows(people), ADG_OK);
        assert_int_equal(adg_people_finish(people, NULL), ADG_OK);
        check_people(people);
        adg_people_free(people);
    }
}

/* Nobody: no rows at all, and no person field. */
static void test_nobody(void **state)
{
    (void)state;
    struct adg_people *people = NULL;
    assert_int_equal(adg_people_new(0, 1000, folder, &people, NULL), ADG_OK);
    assert_int_equal(adg_people_finish(people, NULL), ADG_OK);
    assert_int_equal(adg_people_cardinalities(people)->count, 0);
    adg_people_free(people);
}

/* A patient with many rows: they are sorted in time. */
static void test_a_busy_patient(void **state)
{
    (void)state;
    enum { ROWS = 300000 };
    struct adg_people *people = NULL;
    struct adg_patient who = hash_of("busy");
    uint32_t codes[2] = {ADG_NULL_CODE, ADG_NULL_CODE};
    assert_int_equal(adg_people_new(2, 1 << 30, folder, &people, NULL), ADG_OK);
    for (uint32_t i = 0; i < ROWS; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i % 1000);
        struct adg_patient primary = hash_of(key);
        assert_int_equal(adg_people_add(people, &who, &primary, codes, NULL), ADG_OK);
    }
    assert_int_equal(adg_people_finish(people, NULL), ADG_OK);
    assert_int_equal(cardinality(people, 1000), 1);
    adg_people_free(people);
}

static void test_without_memory(void **state)
{
    (void)state;
    enum adg_status status = ADG_FAILED;
    unsigned failures = 0;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_people *people = NULL;
        adg_memory_fail_at(n);
        status = adg_people_new(1, 20000, folder, &people, NULL);
        if (status == ADG_OK) {
            status = add_rows(people);
        }
        if (status == ADG_OK) {
            status = adg_people_finish(people, NULL);
        }
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        failures += status != ADG_OK;
        adg_people_free(people);
    }
    assert_true(failures > 10);
    status = ADG_FAILED;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_count_memory memory = {.limit = 3000, .folder = folder};
        struct adg_counter counter;
        bool more = true;
        status = ADG_OK;
        adg_counter_init(&counter, ADG_COUNT_TEXT, ENOUGH, &memory);
        adg_memory_fail_at(n);
        for (uint64_t i = 0; i < 300 && status == ADG_OK; i++) {
            char text[64];
            status = adg_counter_add_text(&counter, text_of(value_of(i), text), patient_of(i) + 1, NULL);
        }
        while (status == ADG_OK && more) {
            status = adg_counter_next_pass(&counter, &more, NULL);
        }
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        adg_counter_fini(&counter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts), cmocka_unit_test(test_patient_sets),   cmocka_unit_test(test_people),
        cmocka_unit_test(test_nobody), cmocka_unit_test(test_a_busy_patient), cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
