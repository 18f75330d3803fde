#include "models/price_terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* In the order in which they are written. */
#define ALL                                                                                        \
    "input=2;output=8;cache_read=0.5;cache_write=2.5;cache_write_1h=4;cache_write_12h=5;"          \
    "reasoning=9;audio_input=40;audio_output=80;audio_cache_read=2.5;image_input=10;"              \
    "image_output=40;image_cache_read=2;per_request=0.005;per_image=0.04;per_image_read=0.0001;"   \
    "per_second=0.000283333333333;per_character=0.000015;per_query=0.002;web_search=0.01;"         \
    "web_search_low=0.005;web_search_high=0.014;input_above_200000=4;output_above_200000=12;"      \
    "batch_input=1;batch_cache_write_12h=2.5;flex_input_above_272000=3;priority_reasoning=7;"      \
    "balanced_output=6;ultrafast_input=20;offpeak_input=1;offpeak_cache_read=0.25;"                \
    "offpeak_hours=12345 00:00-01:00,67 00:00-00:00;us_multiplier=1.1;eu_multiplier=1.25;"         \
    "fast_multiplier=2"

static enum status read_terms(const char *terms, struct price *price_out)
{
    struct reason reason = {""};
    const enum status status = price_read(slice_from_text(terms), price_out, &reason);
    assert_true((status == STATUS_OK) == (reason.text[0] == '\0'));
    return status;
}

static void assert_written(const struct price *price, const char *terms)
{
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    assert_int_equal(price_write(price, &buffer), STATUS_OK);
    buffer_append_byte(&buffer, '\0');
    assert_string_equal(buffer.data, terms);
    buffer_fini(&buffer);
}

static void every_term_is_read_and_written_back(void **state)
{
    (void)state;
    struct price price;
    assert_int_equal(read_terms(ALL, &price), STATUS_OK);
    assert_written(&price, ALL);
}

static void what_is_not_stated_stays_unknown(void **state)
{
    (void)state;
    struct price price;
    assert_int_equal(read_terms("input=0.40usd;output=1.60usd", &price), STATUS_OK);
    assert_int_equal(price.rates[PRICE_INPUT], 400000000);
    assert_int_equal(price.rates[PRICE_OUTPUT], 1600000000);
    for (size_t part = PRICE_CACHE_READ; part < PRICE_PARTS; part++)
        assert_true(price.rates[part] == PRICE_UNKNOWN);
    assert_int_equal(price.tier_count, 0);
    assert_written(&price, "input=0.4;output=1.6");
}

static void a_stated_zero_is_a_price(void **state)
{
    (void)state;
    struct price price;
    assert_int_equal(read_terms("input=0;output=0.00", &price), STATUS_OK);
    assert_int_equal(price.rates[PRICE_INPUT], 0);
    assert_written(&price, "input=0;output=0");
}

static void a_piece_has_six_digits_more_than_a_token(void **state)
{
    (void)state;
    struct price price;
    assert_int_equal(read_terms("per_image=0.013;input=0.013", &price), STATUS_OK);
    assert_true(price.rates[PRICE_IMAGE] == UINT64_C(13000000000000));
    assert_true(price.rates[PRICE_INPUT] == UINT64_C(13000000));
}

static void names_that_are_none_are_not_found(void **state)
{
    (void)state;
    const char *terms[] = {
        "=1",
        "inputs=1",
        "Input=1",
        " input=1",
        "standard_input=1",
        "batch_=1",
        "batch=1",
        "batch_per_image=1",
        "flex_audio_input=1",
        "offpeak_per_second=1",
        "offpeak_batch_input=1",
        "offpeak_input_above_5=1",
        "input_above_=1",
        "input_above_0=1",
        "input_above_05=1",
        "input_above_-5=1",
        "input_above_200k=1",
        "input_above_99999999999999999999=1",
        "per_image_above_5=1",
        "_above_5=1",
        "batch_batch_input=1",
        "us_multiplier_above_5=1",
    };
    for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
        struct price price;
        if (read_terms(terms[i], &price) != STATUS_NOT_FOUND)
            fail_msg("%s", terms[i]);
    }
}

static void values_that_are_none_are_told_apart(void **state)
{
    (void)state;
    struct price price;
    assert_int_equal(read_terms("input=", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=usd", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=1 usd", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=1usdusd", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=1eur", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=-1", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=1=1", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=0.0000000001", &price), STATUS_UNSUPPORTED);
    assert_int_equal(read_terms("input=18446744073.709551615", &price), STATUS_TOO_LARGE);
    assert_int_equal(read_terms("per_image=18447", &price), STATUS_TOO_LARGE);
    assert_int_equal(read_terms("us_multiplier=0", &price), STATUS_INVALID);
    assert_int_equal(read_terms("us_multiplier=1.1usd", &price), STATUS_INVALID);
    assert_int_equal(read_terms("us_multiplier=1.00001", &price), STATUS_UNSUPPORTED);
    assert_int_equal(read_terms("us_multiplier=1000.0001", &price), STATUS_TOO_LARGE);
    assert_int_equal(read_terms("us_multiplier=1000", &price), STATUS_OK);
    assert_int_equal(read_terms("offpeak_hours=1", &price), STATUS_INVALID);
}

static void texts_that_are_no_terms_are_refused(void **state)
{
    (void)state;
    struct price price;
    assert_int_equal(read_terms("", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=1;", &price), STATUS_INVALID);
    assert_int_equal(read_terms(";input=1", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=1;;output=1", &price), STATUS_INVALID);
    assert_int_equal(read_terms("input=1;output=2;input=3", &price), STATUS_EXISTS);
    assert_int_equal(read_terms("input_above_5=1;input_above_5=1", &price), STATUS_EXISTS);
}

static void tiers_have_a_limit(void **state)
{
    (void)state;
    struct price price;
    price_init_unknown(&price);
    for (size_t i = 0; i <= PRICE_TIERS_MAX; i++) {
        char name[] = "input_above_1A";
        name[sizeof(name) - 2] = (char)('0' + i % 10);
        name[sizeof(name) - 3] = (char)('1' + i / 10);
        assert_int_equal(price_set(&price, slice_from_text(name), SLICE("1"), NULL),
                         i < PRICE_TIERS_MAX ? STATUS_OK : STATUS_TOO_LARGE);
    }
    assert_int_equal(price.tier_count, PRICE_TIERS_MAX);
}

static void a_refused_term_changes_nothing(void **state)
{
    (void)state;
    const char *names[] = {"input", "batch_output_above_5", "offpeak_hours", "us_multiplier", "x"};
    struct price price, before;
    assert_int_equal(read_terms(ALL, &price), STATUS_OK);
    before = price;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_not_equal(price_set(&price, slice_from_text(names[i]), SLICE("-"), NULL),
                             STATUS_OK);
        assert_memory_equal(&price, &before, sizeof(price));
    }
}

/* Read or refused, and what is read is written and read again the same. */
static void every_truncation_is_read_or_refused(void **state)
{
    (void)state;
    const struct slice all = SLICE(ALL);
    size_t read = 0;
    for (size_t size = 0; size <= all.size; size++) {
        struct price price, again;
        struct buffer buffer;
        if (price_read(slice_of(all.data, size), &price, NULL) != STATUS_OK)
            continue;
        read++;
        buffer_init(&buffer, 4096);
        assert_int_equal(price_write(&price, &buffer), STATUS_OK);
        assert_int_equal(price_read(buffer_slice(&buffer), &again, NULL), STATUS_OK);
        assert_memory_equal(again.rates, price.rates, sizeof(price.rates));
        assert_int_equal(again.tier_count, price.tier_count);
        buffer_fini(&buffer);
    }
    assert_true(read >= 35);
}

static void a_buffer_that_is_too_small_says_so(void **state)
{
    (void)state;
    struct price price;
    assert_int_equal(read_terms(ALL, &price), STATUS_OK);
    for (size_t size = 0; size < sizeof(ALL) - 1; size++) {
        struct buffer buffer;
        buffer_init(&buffer, size);
        assert_int_equal(price_write(&price, &buffer), STATUS_TOO_LARGE);
        buffer_fini(&buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_term_is_read_and_written_back),
        cmocka_unit_test(what_is_not_stated_stays_unknown),
        cmocka_unit_test(a_stated_zero_is_a_price),
        cmocka_unit_test(a_piece_has_six_digits_more_than_a_token),
        cmocka_unit_test(names_that_are_none_are_not_found),
        cmocka_unit_test(values_that_are_none_are_told_apart),
        cmocka_unit_test(texts_that_are_no_terms_are_refused),
        cmocka_unit_test(tiers_have_a_limit),
        cmocka_unit_test(a_refused_term_changes_nothing),
        cmocka_unit_test(every_truncation_is_read_or_refused),
        cmocka_unit_test(a_buffer_that_is_too_small_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
