#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/catalogue.h"
#include "models/catalogue_columns.h"

/* Every column has a value of its own. */
static const char *const values[CATALOGUE_MODEL_COLUMNS] = {
    "p",          "m",          "eu",
    "high/1x1",   "2026-01-31", "image_generation",
    "1001",       "1002",       "1003",
    "1",          "2",          "3",
    "4",          "5",          "6",
    "7",          "8",          "9",
    "10",         "11",         "12",
    "13",         "0.14",       "0.15",
    "0.16",       "0.17",       "0.18",
    "0.19",       "0.20",       "21",
    "22",         "23",         "67 00:00-00:00",
    "1.1",        "1.2",        "2",
    "1",          "0",          "1",
    "",           "0",          "1",
    "1",          "1004",       "1005",
    "2027-01-31", "somewhere",
};

/* The row, with one column replaced. */
static struct catalogue_row row_with(struct buffer *line, size_t column, const char *value)
{
    buffer_clear(line);
    for (size_t i = 0; i < CATALOGUE_MODEL_COLUMNS; i++)
        buffer_printf(line, "%s%s", i > 0 ? "," : "", i == column ? value : values[i]);
    struct catalogue_row row = {.line = buffer_slice(line), .from_us = 1, .until_us = 2};
    for (size_t i = 0; i < CATALOGUE_KEY_FIELDS; i++)
        row.key.fields[i] = slice_from_text(values[i]);
    return row;
}

static struct catalogue_row whole_row(struct buffer *line)
{
    return row_with(line, CATALOGUE_MODEL_COLUMNS, "");
}

static void every_price_of_a_row_goes_to_its_place(void **state)
{
    (void)state;
    struct buffer line;
    struct price price;
    const struct catalogue none = {0};
    buffer_init(&line, 4096);
    const struct catalogue_row row = whole_row(&line);
    assert_int_equal(catalogue_read_price(&none, &row, &price), STATUS_OK);
    for (uint64_t part = 0; part < PRICE_TOKEN_PARTS; part++)
        assert_true(price.rates[part] == (part + 1) * 1000000000);
    const uint64_t cent = UINT64_C(10000000000000);
    assert_true(price.rates[PRICE_REQUEST] == PRICE_UNKNOWN);
    assert_true(price.rates[PRICE_IMAGE] == 14 * cent);
    assert_true(price.rates[PRICE_IMAGE_READ] == PRICE_UNKNOWN);
    for (uint64_t part = PRICE_SECOND; part < PRICE_PARTS; part++)
        assert_true(price.rates[part] == (15 + part - PRICE_SECOND) * cent);
    assert_int_equal(price.offpeak_rates[PRICE_INPUT], 21000000000);
    assert_int_equal(price.offpeak_rates[PRICE_OUTPUT], 22000000000);
    assert_int_equal(price.offpeak_rates[PRICE_CACHE_READ], 23000000000);
    assert_true(price.offpeak_rates[PRICE_CACHE_WRITE] == PRICE_UNKNOWN);
    assert_int_equal(price.offpeak.count, 1);
    assert_int_equal(price.factors[PRICE_FACTOR_US], 11000);
    assert_int_equal(price.factors[PRICE_FACTOR_EU], 12000);
    assert_int_equal(price.factors[PRICE_FACTOR_FAST], 20000);
    assert_string_equal(price.id, "catalogue/p:eu/m#high/1x1@2026-01-31");
    assert_int_equal(price.from_us, 1);
    assert_int_equal(price.until_us, 2);
    buffer_fini(&line);
}

static void every_fact_of_a_row_goes_to_its_place(void **state)
{
    (void)state;
    struct buffer line;
    struct catalogue_facts facts;
    buffer_init(&line, 4096);
    const struct catalogue_row row = whole_row(&line);
    assert_int_equal(catalogue_read_facts(&row, &facts), STATUS_OK);
    assert_int_equal(facts.mode, CATALOGUE_IMAGE_GENERATION);
    assert_int_equal(facts.context_window_tokens, 1001);
    assert_int_equal(facts.max_input_tokens, 1002);
    assert_int_equal(facts.max_output_tokens, 1003);
    assert_int_equal(facts.embedding_dimensions, 1004);
    assert_int_equal(facts.prompt_cache_min_tokens, 1005);
    assert_true(facts.deprecated_us == UINT64_C(1801353600000000));
    assert_int_equal(facts.abilities_known, 0x77);
    assert_int_equal(facts.abilities, 1 << CATALOGUE_TOOLS | 1 << CATALOGUE_JSON_SCHEMA |
                                          1 << CATALOGUE_AUDIO_IN | 1 << CATALOGUE_PDF);
    buffer_fini(&line);
}

static void a_picture_s_price_is_for_one_read_where_none_is_made(void **state)
{
    (void)state;
    struct buffer line;
    struct price price;
    const struct catalogue none = {0};
    buffer_init(&line, 4096);
    const struct catalogue_row row = row_with(&line, 5, "chat");
    assert_int_equal(catalogue_read_price(&none, &row, &price), STATUS_OK);
    assert_true(price.rates[PRICE_IMAGE] == PRICE_UNKNOWN);
    assert_true(price.rates[PRICE_IMAGE_READ] == UINT64_C(140000000000000));
    buffer_fini(&line);
}

static void an_empty_field_is_unknown(void **state)
{
    (void)state;
    struct buffer line;
    struct price price;
    struct catalogue_facts facts;
    const struct catalogue none = {0};
    buffer_init(&line, 4096);
    struct catalogue_row row = row_with(&line, 9, "");
    assert_int_equal(catalogue_read_price(&none, &row, &price), STATUS_OK);
    assert_true(price.rates[PRICE_INPUT] == PRICE_UNKNOWN);
    row = row_with(&line, 6, "");
    assert_int_equal(catalogue_read_facts(&row, &facts), STATUS_OK);
    assert_int_equal(facts.context_window_tokens, 0);
    row = row_with(&line, 5, "");
    assert_int_equal(catalogue_read_facts(&row, &facts), STATUS_INVALID);
    buffer_fini(&line);
}

/* A price or a fact is refused, whichever column it is that says something else. */
static void every_column_with_nonsense_is_refused(void **state)
{
    (void)state;
    struct buffer line;
    const struct catalogue none = {0};
    buffer_init(&line, 4096);
    for (size_t i = CATALOGUE_KEY_FIELDS; i + 1 < CATALOGUE_MODEL_COLUMNS; i++) {
        const char *nonsense[] = {"x", "-1", "1e3", "99999999999999999999", "1 ", "\r"};
        for (size_t j = 0; j < sizeof(nonsense) / sizeof(nonsense[0]); j++) {
            struct price price;
            struct catalogue_facts facts;
            const struct catalogue_row row = row_with(&line, i, nonsense[j]);
            if (catalogue_read_price(&none, &row, &price) == STATUS_OK &&
                catalogue_read_facts(&row, &facts) == STATUS_OK)
                fail_msg("%s: %s", catalogue_model_columns[i].name, nonsense[j]);
        }
    }
    buffer_fini(&line);
}

static void a_line_with_more_or_fewer_fields_is_refused(void **state)
{
    (void)state;
    struct buffer line;
    struct price price;
    struct catalogue_facts facts;
    const struct catalogue none = {0};
    buffer_init(&line, 4096);
    struct catalogue_row row = row_with(&line, CATALOGUE_MODEL_COLUMNS - 1, "some,where");
    assert_int_equal(catalogue_read_price(&none, &row, &price), STATUS_INVALID);
    assert_int_equal(catalogue_read_facts(&row, &facts), STATUS_INVALID);
    row = whole_row(&line);
    for (; row.line.size > line.size - sizeof("somewhere"); row.line.size--)
        continue;
    assert_int_equal(catalogue_read_price(&none, &row, &price), STATUS_INVALID);
    assert_int_equal(catalogue_read_facts(&row, &facts), STATUS_INVALID);
    buffer_fini(&line);
}

static void modes_and_abilities_have_names(void **state)
{
    (void)state;
    assert_string_equal(catalogue_mode_name(CATALOGUE_AUDIO_SPEECH), "audio_speech");
    assert_string_equal(catalogue_ability_name(CATALOGUE_JSON_SCHEMA), "json_schema");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_price_of_a_row_goes_to_its_place),
        cmocka_unit_test(every_fact_of_a_row_goes_to_its_place),
        cmocka_unit_test(a_picture_s_price_is_for_one_read_where_none_is_made),
        cmocka_unit_test(an_empty_field_is_unknown),
        cmocka_unit_test(every_column_with_nonsense_is_refused),
        cmocka_unit_test(a_line_with_more_or_fewer_fields_is_refused),
        cmocka_unit_test(modes_and_abilities_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
