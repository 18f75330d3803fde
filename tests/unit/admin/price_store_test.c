#include "admin/price_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "models/price_terms.h"
#include "store/store_usage.h"
#include "unit/admin/data_dir.h"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    *state = data_dir_open(false);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static void keep(struct admin_context *context, const char *model, uint64_t from_us,
                 const char *definition)
{
    const struct store_price price = {.provider = SLICE("openai"),
                                      .model = slice_from_text(model),
                                      .from_us = from_us,
                                      .definition = slice_from_text(definition)};
    struct reason reason;
    assert_int_equal(store_price_set(context->store, &price, &reason), STATUS_OK);
}

static void a_definition_is_read_and_written_alike(void **state)
{
    static const char text[] = "{\"input\":\"0.4\",\"output\":\"1.6\",\"per_request\":\"0.002\","
                               "\"input_above_200000\":\"0.8\"}";
    struct price price;
    struct reason reason = {""};
    struct buffer out;
    struct json_writer writer;
    (void)state;
    assert_int_equal(price_definition_read(slice_from_text(text), &price, &reason), STATUS_OK);
    assert_int_equal(price.rates[PRICE_INPUT], 400000000);
    buffer_init(&out, 4096);
    json_writer_init(&writer, &out);
    price_definition_write(&writer, &price);
    assert_true(slice_equal(buffer_slice(&out), slice_from_text(text)));
    buffer_fini(&out);
}

static void what_is_no_definition_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "7",
                                        "{}",
                                        "{\"input\":0.4}",
                                        "{\"input\":\"x\"}",
                                        "{\"nothing\":\"1\"}",
                                        "{\"input\":\"1\",\"input\":\"2\"}",
                                        "{\"input\":\"0.0000000001\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct price price;
        struct reason reason = {""};
        assert_int_not_equal(price_definition_read(slice_from_text(texts[i]), &price, &reason),
                             STATUS_OK);
        assert_true(reason.text[0] != '\0');
    }
}

static void the_stores_prices_become_a_list(void **state)
{
    struct admin_context *context = *state;
    struct price_list *list = NULL;
    const struct price *price;
    struct reason reason = {""};
    uint64_t next_us;
    keep(context, "m", 0, "{\"input\":\"1\"}");
    keep(context, "m", 1000, "{\"input\":\"2\"}");
    assert_int_equal(price_store_load(context->store, &list, &reason), STATUS_OK);
    assert_int_equal(price_list_count(list), 2);
    assert_int_equal(price_list_find(list, SLICE("openai"), SLICE("m"), 999, &price, &next_us),
                     STATUS_OK);
    assert_int_equal(price->rates[PRICE_INPUT], 1000000000);
    assert_int_equal(next_us, 1000);
    price_list_destroy(&list);
}

static void a_price_that_cannot_be_read_is_named(void **state)
{
    struct admin_context *context = *state;
    struct price_list *list = NULL;
    struct reason reason = {""};
    keep(context, "good", 0, "{\"input\":\"1\"}");
    keep(context, "zbad", 0, "{\"input\":\"?\"}");
    assert_int_equal(price_store_load(context->store, &list, &reason), STATUS_INVALID);
    assert_null(list);
    assert_non_null(strstr(reason.text, "openai/zbad"));
}

static void loading_survives_the_failure_of_each_allocation(void **state)
{
    struct admin_context *context = *state;
    keep(context, "m", 0, "{\"input\":\"1\",\"output\":\"2\"}");
    for (int nth = 0;; nth++) {
        struct price_list *list = NULL;
        struct reason reason = {""};
        alloc_fail_nth(nth);
        const enum status status = price_store_load(context->store, &list, &reason);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_true(nth > 2);
            price_list_destroy(&list);
            return;
        }
        assert_null(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_definition_is_read_and_written_alike),
        cmocka_unit_test(what_is_no_definition_is_refused),
        cmocka_unit_test_setup_teardown(the_stores_prices_become_a_list, open_context,
                                        close_context),
        cmocka_unit_test_setup_teardown(a_price_that_cannot_be_read_is_named, open_context,
                                        close_context),
        cmocka_unit_test_setup_teardown(loading_survives_the_failure_of_each_allocation,
                                        open_context, close_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
