/*
 * Reviews and signatures of a metadata folder that is written here: which rows each check finds, with the arithmetic beside them;
 * that no byte of a signature may change; and what happens when memory runs out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "adg.h"
#include "core/file.h"
#include "core/memory.h"
#include "govern/review.h"
#include "govern/store.h"

static const char definition_text[] = "dataset: d\nid: 1\nprimary_key: K\npatient_key: P\ntables: [t]\n"
                                      "min_frequency: 5\nrounding: 5\n"
                                      "review: {excluded_fields: [X], organisation_fields: [ORG], checklist: [Sure?]}\n"
                                      "fields:\n"
                                      "  - {name: K, type: long, pattern: '\\d{6}'}\n"
                                      "  - {name: P, type: string, pattern: '[a-z]{6}'}\n"
                                      "  - {name: A, type: string, values: CATEGORICAL}\n"
                                      "  - {name: ORG, type: string, values: CATEGORICAL}\n"
                                      "  - {name: X, type: string, values: CATEGORICAL}\n"
                                      "  - {name: C, type: integer, values: CONTINUOUS}\n";

struct place {
    char root[64], meta[96], store[96], trust[96];
    struct adg_definition *definition;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->root, sizeof place->root, "/tmp/test_govern.XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(place->meta, sizeof place->meta, "%s/meta", place->root);
    snprintf(place->store, sizeof place->store, "%s/store", place->root);
    snprintf(place->trust, sizeof place->trust, "%s/trust", place->root);
    struct adg_error error = {{0}};
    if (adg_definition_parse("d.yaml", definition_text, sizeof definition_text - 1, &place->definition, &error) !=
        ADG_OK) {
        fail_msg("%s", error.message);
    }
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    adg_memory_fail_at(0);
    assert_int_equal(adg_folder_remove(place->root, NULL), ADG_OK);
    adg_definition_free(place->definition);
    free(place);
    return 0;
}

static struct adg_metadata_row category(const char *field, const char *value, double weight)
{
    return (struct adg_metadata_row){.table = "t",
                                     .field = field,
                                     .value_type = ADG_VALUE_CATEGORICAL,
                                     .string = {value, strlen(value)},
                                     .has_weight = true,
                                     .weight = weight};
}

static struct adg_metadata_row cardinality(double rows, double patients)
{
    return (struct adg_metadata_row){.table = "t",
                                     .field = "K",
                                     .value_type = ADG_VALUE_RELATIONSHIP,
                                     .string = {"P", 1},
                                     .has_numeric = true,
                                     .numeric = rows,
                                     .has_weight = true,
                                     .weight = patients};
}

static void write_metadata(const struct place *place, const struct adg_metadata_row *given, size_t count)
{
    struct adg_metadata_rows rows = {0};
    const struct adg_manifest_table table = {.name = "t"};
    struct adg_manifest manifest = {
        .definition_name = "d", .min_frequency = 5, .rounding = 5, .tables = &table, .table_count = 1};
    char *staging = NULL;
    struct adg_error error = {{0}};
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(adg_metadata_rows_add(&rows, &given[i], NULL), ADG_OK);
    }
    assert_int_equal(adg_metadata_stage(place->meta, &staging, &error), ADG_OK);
    if (adg_metadata_write(place->meta, staging, place->definition, &manifest, &rows, &error) != ADG_OK) {
        fail_msg("%s", error.message);
    }
    adg_free(staging);
    adg_metadata_rows_fini(&rows);
}

/* Reviews the folder; the counts of the checks are the result. */
static void review_of(const struct place *place, size_t counts[ADG_CHECKS], bool *passed)
{
    struct adg_metadata_folder folder = {0};
    struct adg_review review = {0};
    struct adg_metadata *metadata = NULL;
    assert_int_equal(adg_metadata_folder_read(place->meta, &folder, NULL), ADG_OK);
    assert_int_equal(adg_review_make(&folder, &review, &metadata, NULL), ADG_OK);
    memcpy(counts, review.counts, sizeof review.counts);
    *passed = review.passed;
    for (size_t i = 0; i < review.finding_count; i++) { /* a message names a row, never what is in it */
        assert_null(strstr(review.findings[i].text, "9434765919"));
    }
    adg_review_fini(&review);
    adg_metadata_free(metadata);
    adg_metadata_folder_fini(&folder);
}

/* One row more than good ones, and the only check that has something to say about it. */
static void test_each_check(void **state)
{
    const struct place *place = *state;
    const struct {
        struct adg_metadata_row row;
        int check; /* -1: none */
    } cases[] = {
        {category("A", "J459", 5), -1},
        {category("A", "J459", 4), ADG_CHECK_WEIGHTS},  /* below 5 */
        {category("A", "J459", 12), ADG_CHECK_WEIGHTS}, /* no multiple of 5 */
        {category("X", "a", 10), ADG_CHECK_EXCLUDED_FIELDS},
        /* 9434765919: 9*10+4*9+3*8+4*7+7*6+6*5+5*4+9*3+1*2 = 299, 299 mod 11 = 2, 11 - 2 = 9 */
        {category("A", "9434765919", 500), ADG_CHECK_NHS_NUMBER},
        {category("A", "943 476 5919", 500), ADG_CHECK_NHS_NUMBER},
        {category("A", "9434765918", 500), -1}, /* the check digit is another */
        {category("A", "a.b@example.org", 500), ADG_CHECK_EMAIL},
        {category("A", "07700 900123", 500), ADG_CHECK_PHONE},
        {category("A", "+447700900123", 500), ADG_CHECK_PHONE},
        {category("A", "SW1A 1AA", 50), ADG_CHECK_POSTCODE},
        {category("A", "SW1A 1AA", 100), -1}, /* common: no address of a person */
        {category("ORG", "SW1A 1AA", 50), -1},
        {category("A", "Johnson", 50), ADG_CHECK_LETTERS},
        {category("A", "Johns", 50), -1}, /* five */
        {category("A", "12 3456", 50), ADG_CHECK_WHITESPACE},
        {cardinality(3, 4), ADG_CHECK_RELATIONSHIP},
        /* 10 patients, 8 at least, mean 1 or more: sum of up to 43.5 * 8 = 348, 341 of one patient; 6 < 34.1 */
        {cardinality(43, 10), ADG_CHECK_DOMINANCE},
        /* 8 * 3.5 - 7 = 21 of one patient; 6 >= 2.1 */
        {cardinality(3, 10), -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t counts[ADG_CHECKS];
        bool passed = false;
        const struct adg_metadata_row rows[] = {category("A", "A010", 1000), category("A", "B020", 2000),
                                                cardinality(1, 1000), cases[i].row};
        write_metadata(place, rows, 4);
        review_of(place, counts, &passed);
        for (int check = 0; check < ADG_CHECKS; check++) {
            bool also = check == ADG_CHECK_DEFINITION || check == ADG_CHECK_RATIO ||
                        (check == ADG_CHECK_WHITESPACE && strchr(cases[i].row.string.text, ' ') != NULL) ||
                        (check == ADG_CHECK_DOMINANCE && cases[i].check == ADG_CHECK_RELATIONSHIP);
            if (counts[check] != (check == cases[i].check) && !also) {
                fail_msg("case %zu, check %s: %zu findings", i, adg_check_texts[check].id, counts[check]);
            }
        }
        assert_int_equal(passed, cases[i].check < 0 || !adg_check_texts[cases[i].check].fails);
    }
}

static void test_percentiles(void **state)
{
    const struct place *place = *state;
    /* 30 to 32 values at threshold 5 allow 32 / 5 - 1 = 5 percentiles */
    for (uint32_t count = 5; count <= 6; count++) {
        static const double percentiles[] = {1, 2, 3, 4, 5, 6}, completeness[] = {0, 30};
        const struct adg_metadata_row rows[] = {{.table = "t",
                                                 .field = "C",
                                                 .value_type = ADG_VALUE_CONTINUOUS,
                                                 .numeric_array = percentiles,
                                                 .numeric_array_count = count},
                                                {.table = "t",
                                                 .field = "C",
                                                 .value_type = ADG_VALUE_COMPLETENESS,
                                                 .weight_array = completeness,
                                                 .weight_array_count = 2}};
        size_t counts[ADG_CHECKS];
        bool passed = false;
        write_metadata(place, rows, 2);
        review_of(place, counts, &passed);
        assert_int_equal(counts[ADG_CHECK_PERCENTILES], count > 5);
        assert_int_equal(passed, count <= 5);
    }
}

/* ---- signatures -------------------------------------------------------------------------------------------------- */

static struct adg_secret_key make_key(uint8_t number)
{
    struct adg_secret_key key = {{number}, {0}};
    uint8_t public_half[32];
    assert_int_equal(crypto_sign_keypair(public_half, key.key), 0);
    return key;
}

static struct adg_public_key public_of(const struct adg_secret_key *key)
{
    struct adg_public_key made;
    memcpy(made.number, key->number, sizeof made.number);
    memcpy(made.key, key->key + 32, sizeof made.key);
    return made;
}

static void test_every_byte_of_a_signature_counts(void **state)
{
    (void)state;
    const struct adg_secret_key key = make_key(1);
    const struct adg_public_key public_key = public_of(&key);
    static const uint8_t message[] = "what is signed";
    struct adg_buffer file = {0};
    struct adg_signature signature;
    const struct adg_span span = {message, sizeof message};
    assert_int_equal(adg_signature_make(&key, span, "who and when", &file, NULL), ADG_OK);
    assert_int_equal(adg_signature_parse((struct adg_span){file.data, file.size}, "f", &signature, NULL), ADG_OK);
    assert_int_equal(adg_signature_verify(&signature, &public_key, span, "f", NULL), ADG_OK);
    assert_string_equal(signature.trusted_comment, "who and when");
    /* the first line is a comment that is not signed */
    size_t first = (size_t)((const uint8_t *)memchr(file.data, '\n', file.size) - file.data) + 1, refused = 0;
    for (size_t i = first; i < file.size; i++) {
        file.data[i] ^= 1;
        enum adg_status status = adg_signature_parse((struct adg_span){file.data, file.size}, "f", &signature, NULL);
        if (status == ADG_OK) {
            status = adg_signature_verify(&signature, &public_key, span, "f", NULL);
        }
        refused += status == ADG_REFUSED;
        file.data[i] ^= 1;
    }
    assert_int_equal(refused, file.size - first);
    for (size_t size = 0; size + 1 < file.size; size++) { /* the last byte is a line's end */
        assert_int_equal(adg_signature_parse((struct adg_span){file.data, size}, "f", &signature, NULL), ADG_REFUSED);
    }
    uint8_t other[sizeof message];
    memcpy(other, message, sizeof message);
    other[3] ^= 1;
    assert_int_equal(adg_signature_parse((struct adg_span){file.data, file.size}, "f", &signature, NULL), ADG_OK);
    assert_int_equal(adg_signature_verify(&signature, &public_key, (struct adg_span){other, sizeof other}, "f", NULL),
                     ADG_REFUSED);
    adg_buffer_fini(&file);
}

/* ---- a store, without memory ------------------------------------------------------------------------------------- */

static void write_text(const char *folder, const char *name, const char *text, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(adg_file_write(path, text, size, NULL), ADG_OK);
}

static void trust_key(const struct place *place, const char *role, const struct adg_secret_key *key)
{
    char folder[160], text[200], base64[96];
    uint8_t bytes[42] = {'E', 'd'};
    memcpy(bytes + 2, key->number, 8);
    memcpy(bytes + 10, key->key + 32, 32);
    sodium_bin2base64(base64, sizeof base64, bytes, sizeof bytes, sodium_base64_VARIANT_ORIGINAL);
    int size = snprintf(text, sizeof text, "untrusted comment: a key\n%s\n", base64);
    mkdir(place->trust, 0700);
    snprintf(folder, sizeof folder, "%s/%s", place->trust, role);
    assert_int_equal(mkdir(folder, 0700), 0);
    write_text(folder, "a.pub", text, (size_t)size);
}

static void sign_as(const struct place *place, const char *role, const char *person, const struct adg_secret_key *key)
{
    struct adg_metadata_folder folder = {0};
    struct adg_buffer file = {0};
    char comment[512], name[32];
    assert_int_equal(adg_metadata_folder_read(place->meta, &folder, NULL), ADG_OK);
    snprintf(comment, sizeof comment,
             "{\"role\":\"%s\",\"name\":\"%s\",\"email\":\"%s@example.org\",\"date\":\"2026-01-02\",\"review_sha256\":"
             "\"%s\","
             "\"checklist\":{\"confirmed\":1,\"asked\":\"by option\"}}",
             role, person, person, folder.review_sha256);
    assert_int_equal(
        adg_signature_make(key, (struct adg_span){folder.manifest.data, folder.manifest.size}, comment, &file, NULL),
        ADG_OK);
    snprintf(name, sizeof name, "%s.minisig", role);
    write_text(place->meta, name, (const char *)file.data, file.size);
    adg_buffer_fini(&file);
    adg_metadata_folder_fini(&folder);
}

static void write_review(const struct place *place)
{
    struct adg_metadata_folder folder = {0};
    struct adg_review review = {0};
    struct adg_metadata *metadata = NULL;
    struct adg_buffer text = {0};
    assert_int_equal(adg_metadata_folder_read(place->meta, &folder, NULL), ADG_OK);
    assert_int_equal(adg_review_make(&folder, &review, &metadata, NULL), ADG_OK);
    assert_int_equal(adg_review_write(&review, &text, NULL), ADG_OK);
    write_text(place->meta, ADG_REVIEW_FILE, (const char *)text.data, text.size);
    adg_buffer_fini(&text);
    adg_review_fini(&review);
    adg_metadata_free(metadata);
    adg_metadata_folder_fini(&folder);
}

enum { TODAY = 20700, NOON = 12 * 3600 }; /* 2026-09-04 */

/* A signed folder and the two trusted keys. */
static void make_signed(const struct place *place)
{
    const struct adg_metadata_row rows[] = {category("A", "A010", 1000), category("A", "B020", 2000),
                                            cardinality(1, 1000)};
    const struct adg_secret_key reviewer = make_key(1), approver = make_key(2);
    write_metadata(place, rows, 3);
    write_review(place);
    sign_as(place, "reviewer", "ann", &reviewer);
    sign_as(place, "approver", "bob", &approver);
    trust_key(place, "reviewer", &reviewer);
    trust_key(place, "approver", &approver);
}

static struct adg_release_options release_of(const struct place *place)
{
    int64_t now = (int64_t)TODAY * 86400 + NOON;
    return (struct adg_release_options){.meta_folder = place->meta,
                                        .store = place->store,
                                        .trust_folder = place->trust,
                                        .confirmed_utc = now - 599,
                                        .now_utc = now};
}

static void test_the_clock(void **state)
{
    const struct place *place = *state;
    char hash[65];
    make_signed(place);
    struct adg_release_options options = release_of(place);
    options.confirmed_utc = options.now_utc - 601;
    assert_int_equal(adg_release(&options, hash, NULL), ADG_REFUSED);
    options.confirmed_utc = options.now_utc + 601;
    assert_int_equal(adg_release(&options, hash, NULL), ADG_REFUSED);
    options.confirmed_utc = options.now_utc + 600;
    assert_int_equal(adg_release(&options, hash, NULL), ADG_OK);
    assert_int_equal(adg_release(&options, hash, NULL), ADG_FAILED); /* it is there */
}

/* Whichever allocation fails: a failure says so, a store is as it was or holds a whole release, nothing leaks. */
static void test_without_memory(void **state)
{
    const struct place *place = *state;
    char hash[65];
    struct adg_error error = {{0}};
    unsigned failures = 0;
    make_signed(place);
    const struct adg_release_options options = release_of(place);
    enum adg_status status = ADG_FAILED;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        adg_memory_fail_at(n);
        status = adg_release(&options, hash, &error);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        failures += status != ADG_OK;
    }
    assert_true(failures > 20);
    const struct adg_metadata_source source = {.folder = place->store, .trust = place->trust, .today = TODAY};
    status = ADG_FAILED;
    failures = 0;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_metadata *metadata = NULL;
        adg_memory_fail_at(n);
        status = adg_metadata_open(&source, place->definition, &metadata, &error);
        adg_memory_fail_at(0);
        /* a file that cannot be read into memory may count as one that is missing: refused, too */
        assert_true(status == ADG_OK || ((status == ADG_FAILED || status == ADG_REFUSED) && metadata == NULL));
        assert_true(status != ADG_OK || (metadata->released && metadata->row_count == 3));
        failures += status != ADG_OK;
        adg_metadata_free(metadata);
    }
    assert_true(failures > 20);
}

static void test_review_without_memory(void **state)
{
    const struct place *place = *state;
    const struct adg_metadata_row rows[] = {category("A", "9434765919", 1000), category("A", "Johnson", 20),
                                            category("ORG", "B020", 2000), cardinality(1, 1000)};
    struct adg_metadata_folder folder = {0};
    enum adg_status status = ADG_FAILED;
    unsigned failures = 0;
    write_metadata(place, rows, 4);
    assert_int_equal(adg_metadata_folder_read(place->meta, &folder, NULL), ADG_OK);
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_review review = {0};
        struct adg_metadata *metadata = NULL;
        struct adg_buffer text = {0};
        adg_memory_fail_at(n);
        status = adg_review_make(&folder, &review, &metadata, NULL);
        if (status == ADG_OK) {
            status = adg_review_write(&review, &text, NULL);
        }
        adg_memory_fail_at(0);
        /* never a review that passes because a check could not run */
        assert_true(status == ADG_FAILED || (status == ADG_OK && !review.passed));
        failures += status != ADG_OK;
        adg_buffer_fini(&text);
        adg_review_fini(&review);
        adg_metadata_free(metadata);
    }
    assert_true(failures > 20);
    adg_metadata_folder_fini(&folder);
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        TEST(test_each_check), TEST(test_percentiles),    cmocka_unit_test(test_every_byte_of_a_signature_counts),
        TEST(test_the_clock),  TEST(test_without_memory), TEST(test_review_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
