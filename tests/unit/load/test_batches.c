/*
 * A stream of batches between two threads: all of them in order, and an end on either side that keeps nobody waiting.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nanoarrow/nanoarrow.h>

#include "load/batches.h"

enum { COUNT = 50 };

struct consumer {
    struct adg_batches *batches;
    int64_t most; /* batches that it takes */
    int64_t taken, rows_seen;
    int code;
};

static struct adg_batches *make(void)
{
    struct ArrowSchema schema;
    struct adg_batches *batches = NULL;
    assert_int_equal(ArrowSchemaInitFromType(&schema, NANOARROW_TYPE_INT64), NANOARROW_OK);
    assert_int_equal(adg_batches_new(&schema, &batches, NULL), ADG_OK);
    assert_null(schema.release);
    return batches;
}

/* Of so many rows. */
static struct ArrowArray batch_of(int64_t rows)
{
    struct ArrowArray batch;
    assert_int_equal(ArrowArrayInitFromType(&batch, NANOARROW_TYPE_INT64), NANOARROW_OK);
    batch.length = rows;
    return batch;
}

static void *consume(void *context)
{
    struct consumer *consumer = context;
    struct ArrowArrayStream stream;
    adg_batches_stream(consumer->batches, &stream);
    while (consumer->taken < consumer->most) {
        struct ArrowArray batch = {0};
        consumer->code = stream.get_next(&stream, &batch);
        if (consumer->code != 0 || batch.release == NULL) {
            break;
        }
        consumer->rows_seen += batch.length == consumer->taken ? 1 : 0;
        consumer->taken++;
        batch.release(&batch);
    }
    stream.release(&stream);
    adg_batches_close(consumer->batches);
    return NULL;
}

static void test_all_in_order(void **state)
{
    (void)state;
    struct consumer consumer = {.batches = make(), .most = INT64_MAX};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, consume, &consumer), 0);
    for (int64_t i = 0; i < COUNT; i++) {
        struct ArrowArray batch = batch_of(i);
        assert_true(adg_batches_put(consumer.batches, &batch));
    }
    adg_batches_end(consumer.batches);
    pthread_join(thread, NULL);
    assert_int_equal(consumer.taken, COUNT);
    assert_int_equal(consumer.rows_seen, COUNT);
    assert_int_equal(consumer.code, 0);
    adg_batches_free(consumer.batches);
}

static void test_a_consumer_that_goes(void **state)
{
    (void)state;
    struct consumer consumer = {.batches = make(), .most = 3};
    pthread_t thread;
    bool taken = true;
    assert_int_equal(pthread_create(&thread, NULL, consume, &consumer), 0);
    for (int64_t i = 0; i < COUNT && taken; i++) { /* what is not taken is released: the sanitizer looks */
        struct ArrowArray batch = batch_of(i);
        taken = adg_batches_put(consumer.batches, &batch);
    }
    assert_false(taken);
    pthread_join(thread, NULL);
    assert_int_equal(consumer.taken, 3);
    adg_batches_free(consumer.batches);
}

static void test_a_maker_that_goes(void **state)
{
    (void)state;
    struct consumer consumer = {.batches = make(), .most = INT64_MAX};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, consume, &consumer), 0);
    struct ArrowArray batch = batch_of(0);
    assert_true(adg_batches_put(consumer.batches, &batch));
    adg_batches_give_up(consumer.batches);
    pthread_join(thread, NULL);
    assert_int_not_equal(consumer.code, 0); /* no consumer may take that for the end */
    adg_batches_free(consumer.batches);
}

static void test_schema(void **state)
{
    (void)state;
    struct adg_batches *batches = make();
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    adg_batches_stream(batches, &stream);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_string_equal(schema.format, "l");
    schema.release(&schema);
    stream.release(&stream);
    adg_batches_free(batches);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_in_order),
                                              cmocka_unit_test(test_a_consumer_that_goes),
                                              cmocka_unit_test(test_a_maker_that_goes), cmocka_unit_test(test_schema)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
