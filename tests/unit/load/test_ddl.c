/*
 * Tables of a definition in SQL: names in quotes, types, statements.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/ddl.h"

static void test_types(void **state)
{
    (void)state;
    static const struct {
        struct adg_field field;
        const char *type;
    } cases[] = {
        {{.type = ADG_TYPE_STRING}, "text"},
        {{.type = ADG_TYPE_INT32}, "integer"},
        {{.type = ADG_TYPE_INT64}, "bigint"},
        {{.type = ADG_TYPE_DOUBLE}, "double precision"},
        {{.type = ADG_TYPE_DECIMAL, .precision = 16, .scale = 15}, "numeric(16,15)"},
        {{.type = ADG_TYPE_DECIMAL, .precision = 9, .scale = 0}, "numeric(9,0)"},
        {{.type = ADG_TYPE_DATE}, "date"},
        {{.type = ADG_TYPE_TIMESTAMP}, "timestamp without time zone"},
        {{.type = ADG_TYPE_BOOLEAN}, "boolean"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_buffer sql = {0};
        assert_int_equal(adg_ddl_type(&sql, &cases[i].field, NULL), ADG_OK);
        assert_string_equal(adg_buffer_text(&sql), cases[i].type);
        adg_buffer_fini(&sql);
    }
}

static void test_columns(void **state)
{
    (void)state;
    static const struct adg_field fields[] = {{.name = "A", .type = ADG_TYPE_STRING},
                                              {.name = "ORDER", .type = ADG_TYPE_DATE}};
    static const struct adg_layout_column columns[] = {{.field = &fields[0]}, {.field = &fields[1]}};
    const struct adg_layout layout = {.table = "t", .column_count = 2, .columns = columns};
    struct adg_buffer sql = {0};
    assert_int_equal(adg_ddl_columns(&sql, &layout, true, NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&sql), "(\"A\" text, \"ORDER\" date)");
    sql.size = 0;
    assert_int_equal(adg_ddl_columns(&sql, &layout, false, NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&sql), "(\"A\", \"ORDER\")");
    adg_buffer_fini(&sql);
}

static void test_statements(void **state)
{
    (void)state;
    struct adg_buffer sql = {0};
    assert_int_equal(
        adg_ddl_format(&sql, NULL, "comment on table %n.%n is %l%s", "a\"; drop table x; --", "b", "it's \\ %n", "; "),
        ADG_OK);
    assert_string_equal(adg_buffer_text(&sql), "comment on table \"a\"\"; drop table x; --\".\"b\" is 'it''s \\ %n'; ");
    adg_buffer_fini(&sql);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_types), cmocka_unit_test(test_columns),
                                              cmocka_unit_test(test_statements)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
