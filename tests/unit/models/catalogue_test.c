#include "models/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/date.h"
#include "support/small_catalogue.h"

static uint64_t day(const char *text)
{
    uint64_t time_us = 0;
    assert_int_equal(date_parse_day(slice_from_text(text), &time_us), STATUS_OK);
    return time_us;
}

/* --- the real one ------------------------------------------------------------------------------- */

static void every_row_and_tier_of_the_embedded_catalogue_can_be_read(void **state)
{
    (void)state;
    struct catalogue catalogue;
    struct reason reason = {""};
    catalogue_embedded(&catalogue);
    if (catalogue_check(&catalogue, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
}

static void every_row_of_the_embedded_catalogue_is_found_by_its_names(void **state)
{
    (void)state;
    struct catalogue catalogue;
    struct slice line;
    size_t count = 0;
    catalogue_embedded(&catalogue);
    for (struct slice text = catalogue.models; catalogue_csv_next(&text, &line); count++) {
        struct slice fields[47];
        struct catalogue_row row;
        assert_int_equal(catalogue_csv_split(line, fields, 47), STATUS_OK);
        struct catalogue_query query = {fields[0], fields[1], fields[2], fields[3], 0};
        assert_int_equal(date_parse_day(fields[4], &query.time_us), STATUS_OK);
        assert_int_equal(catalogue_find_exact(&catalogue, &query, &row), STATUS_OK);
        assert_ptr_equal(row.line.data, line.data);
        assert_int_equal(catalogue_find(&catalogue, &query, &row), STATUS_OK);
        assert_ptr_equal(row.line.data, line.data);
    }
    assert_true(count > 2000);
}

static void the_embedded_catalogue_knows_a_well_known_model(void **state)
{
    (void)state;
    struct catalogue catalogue;
    struct catalogue_row row;
    struct catalogue_facts facts;
    struct price price;
    catalogue_embedded(&catalogue);
    const struct catalogue_query query = {
        SLICE("openai"), SLICE("gpt-4o-mini"), {0}, {0}, day("2026-11-24")};

    assert_int_equal(catalogue_find(&catalogue, &query, &row), STATUS_OK);
    assert_int_equal(catalogue_read_price(&catalogue, &row, &price), STATUS_OK);
    assert_int_equal(catalogue_read_facts(&row, &facts), STATUS_OK);
    assert_int_equal(price.rates[PRICE_INPUT], 150000000);
    assert_int_equal(price.rates[PRICE_OUTPUT], 600000000);
    assert_int_equal(facts.mode, CATALOGUE_CHAT);
    assert_int_equal(facts.context_window_tokens, 128000);
    assert_int_equal(facts.max_output_tokens, 16384);
    assert_true((facts.abilities >> CATALOGUE_TOOLS & 1) != 0);
}

/* --- small ones --------------------------------------------------------------------------------- */

struct texts {
    struct buffer models, tiers;
};

static void begin(struct texts *texts)
{
    buffer_init(&texts->models, 1 << 16);
    buffer_init(&texts->tiers, 1 << 16);
    small_catalogue_heads(&texts->models, &texts->tiers);
}

static void end(struct texts *texts)
{
    buffer_fini(&texts->models);
    buffer_fini(&texts->tiers);
}

static struct catalogue opened(const struct texts *texts)
{
    struct catalogue catalogue;
    assert_int_equal(
        catalogue_open(buffer_slice(&texts->models), buffer_slice(&texts->tiers), &catalogue, NULL),
        STATUS_OK);
    return catalogue;
}

static void fill(struct texts *texts)
{
    begin(texts);
    small_catalogue_model(&texts->models, "p,a,,,2026-01-01", "chat", "1", "2");
    small_catalogue_model(&texts->models, "p,m,,,2026-01-01", "chat", "1", "2");
    small_catalogue_model(&texts->models, "p,m,,,2026-03-01", "chat", "3", "4");
    small_catalogue_model(&texts->models, "p,m,eu,,2026-02-01", "embedding", "5", "6");
    small_catalogue_tier(&texts->tiers, "p,m,,,2026-01-01", "standard", "100", "7");
    small_catalogue_tier(&texts->tiers, "p,m,,,2026-03-01", "standard", "100", "8");
    small_catalogue_tier(&texts->tiers, "p,m,,,2026-03-01", "batch", "0", "9");
}

static struct catalogue_row found(const struct catalogue *catalogue, const char *region,
                                  const char *date)
{
    const struct catalogue_query query = {
        SLICE("p"), SLICE("m"), slice_from_text(region), {0}, day(date)};
    struct catalogue_row row;
    assert_int_equal(catalogue_find_exact(catalogue, &query, &row), STATUS_OK);
    return row;
}

static void the_row_that_holds_is_the_last_that_has_begun(void **state)
{
    (void)state;
    struct texts texts;
    fill(&texts);
    const struct catalogue catalogue = opened(&texts);
    const char *dates[][2] = {{"2020-01-01", "2026-01-01"},
                              {"2026-01-01", "2026-01-01"},
                              {"2026-02-28", "2026-01-01"},
                              {"2026-03-01", "2026-03-01"},
                              {"2030-01-01", "2026-03-01"}};
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        const struct catalogue_row row = found(&catalogue, "", dates[i][0]);
        assert_true(row.from_us == day(dates[i][1]));
        assert_true(row.until_us ==
                    (row.from_us == day("2026-01-01") ? day("2026-03-01") : UINT64_MAX));
    }
    const struct catalogue_row in_europe = found(&catalogue, "eu", "2026-01-01");
    assert_true(in_europe.from_us == day("2026-02-01") && in_europe.until_us == UINT64_MAX);
    end(&texts);
}

static void a_price_has_the_tiers_of_its_own_day(void **state)
{
    (void)state;
    struct texts texts;
    struct price price;
    fill(&texts);
    const struct catalogue catalogue = opened(&texts);
    const struct catalogue_row before = found(&catalogue, "", "2026-01-01");
    assert_int_equal(catalogue_read_price(&catalogue, &before, &price), STATUS_OK);
    assert_int_equal(price.tier_count, 1);
    assert_int_equal(price.tiers[0].rates[PRICE_INPUT], 7000000000);
    const struct catalogue_row after = found(&catalogue, "", "2026-03-01");
    assert_int_equal(catalogue_read_price(&catalogue, &after, &price), STATUS_OK);
    assert_int_equal(price.tier_count, 2);
    assert_int_equal(price_tier_find(&price, PRICE_BATCH, 0)->rates[PRICE_INPUT], 9000000000);
    const struct catalogue_row in_europe = found(&catalogue, "eu", "2026-03-01");
    assert_int_equal(catalogue_read_price(&catalogue, &in_europe, &price), STATUS_OK);
    assert_int_equal(price.tier_count, 0);
    end(&texts);
}

static void other_columns_are_refused(void **state)
{
    (void)state;
    struct texts texts;
    struct catalogue catalogue;
    begin(&texts);
    const struct slice models = buffer_slice(&texts.models), tiers = buffer_slice(&texts.tiers);
    assert_int_equal(catalogue_open(models, tiers, &catalogue, NULL), STATUS_OK);
    assert_int_equal(catalogue_open(tiers, models, &catalogue, NULL), STATUS_INVALID);
    assert_int_equal(catalogue_open(models, models, &catalogue, NULL), STATUS_INVALID);
    for (size_t size = 0; size + 1 < models.size; size++)
        assert_int_equal(catalogue_open(slice_of(models.data, size), tiers, &catalogue, NULL),
                         STATUS_INVALID);
    for (size_t size = 0; size + 1 < tiers.size; size++)
        assert_int_equal(catalogue_open(models, slice_of(tiers.data, size), &catalogue, NULL),
                         STATUS_INVALID);
    texts.models.data[3] ^= 1;
    assert_int_equal(catalogue_open(models, tiers, &catalogue, NULL), STATUS_INVALID);
    end(&texts);
}

/* Adds what the callback adds to the good rows; the check must name the line. */
static void assert_complaint(void (*spoil)(struct texts *), const char *complaint)
{
    struct texts texts;
    struct reason reason = {""};
    fill(&texts);
    const struct catalogue good = opened(&texts);
    assert_int_equal(catalogue_check(&good, &reason), STATUS_OK);
    spoil(&texts);
    const struct catalogue catalogue = opened(&texts);
    assert_int_equal(catalogue_check(&catalogue, &reason), STATUS_INVALID);
    assert_string_equal(reason.text, complaint);
    end(&texts);
}

static void add_twice(struct texts *texts)
{
    small_catalogue_model(&texts->models, "p,m,eu,,2026-02-01", "chat", "1", "2");
}

static void add_out_of_order(struct texts *texts)
{
    small_catalogue_model(&texts->models, "o,z,,,2026-02-01", "chat", "1", "2");
}

static void add_bad_price(struct texts *texts)
{
    small_catalogue_model(&texts->models, "q,z,,,2026-02-01", "chat", "-1", "2");
}

static void add_bad_mode(struct texts *texts)
{
    small_catalogue_model(&texts->models, "q,z,,,2026-02-01", "talk", "1", "2");
}

static void add_bad_day(struct texts *texts)
{
    small_catalogue_model(&texts->models, "q,z,,,2026-02-30", "chat", "1", "2");
}

static void add_empty_line(struct texts *texts)
{
    buffer_append_byte(&texts->models, '\n');
}

static void add_tier_of_nobody(struct texts *texts)
{
    small_catalogue_tier(&texts->tiers, "p,n,,,2026-03-01", "batch", "0", "9");
}

static void add_tier_out_of_order(struct texts *texts)
{
    small_catalogue_tier(&texts->tiers, "p,a,,,2026-01-01", "batch", "0", "9");
}

static void add_tier_twice(struct texts *texts)
{
    small_catalogue_tier(&texts->tiers, "p,m,,,2026-03-01", "batch", "0", "9");
}

static void add_bad_class(struct texts *texts)
{
    small_catalogue_tier(&texts->tiers, "p,m,,,2026-03-01", "bulk", "0", "9");
}

static void add_bad_threshold(struct texts *texts)
{
    small_catalogue_tier(&texts->tiers, "p,m,,,2026-03-01", "flex", "128k", "9");
}

static void add_base_as_tier(struct texts *texts)
{
    small_catalogue_tier(&texts->tiers, "p,m,,,2026-03-01", "standard", "0", "9");
}

static void the_check_names_the_first_line_that_is_wrong(void **state)
{
    (void)state;
    const char *unreadable = "models.csv:6: it, or a tier of it, cannot be read";
    const char *tier = "models.csv:4: it, or a tier of it, cannot be read";
    assert_complaint(add_twice, "models.csv:6: out of order, or twice");
    assert_complaint(add_out_of_order, "models.csv:6: out of order, or twice");
    assert_complaint(add_bad_price, unreadable);
    assert_complaint(add_bad_mode, unreadable);
    assert_complaint(add_bad_day, unreadable);
    assert_complaint(add_empty_line, "models.csv:6: out of order, or twice");
    assert_complaint(add_tier_of_nobody, "models_tiers.csv:5: no such model");
    assert_complaint(add_tier_out_of_order, "models_tiers.csv:5: out of order");
    assert_complaint(add_tier_twice, tier);
    assert_complaint(add_bad_class, tier);
    assert_complaint(add_bad_threshold, tier);
    assert_complaint(add_base_as_tier, tier);
}

/* Cut anywhere, in memory of exactly that size: what is found is a whole row or is refused. */
static void a_catalogue_cut_anywhere_is_read_or_refused(void **state)
{
    (void)state;
    struct texts texts;
    fill(&texts);
    const struct catalogue whole = opened(&texts);
    for (size_t size = 1; size <= whole.models.size + whole.tiers.size; size++) {
        const size_t of_models = size < whole.models.size ? size : whole.models.size;
        char *copy = alloc_bytes(size);
        struct catalogue_row row;
        struct price price;
        struct catalogue_facts facts;
        assert_non_null(copy);
        memcpy(copy, whole.models.data, of_models);
        if (size > of_models)
            memcpy(copy + of_models, whole.tiers.data, size - of_models);
        const struct catalogue catalogue = {slice_of(copy, of_models),
                                            slice_of(copy + of_models, size - of_models)};
        const struct catalogue_query query = {SLICE("p"), SLICE("m"), {0}, {0}, day("2026-03-01")};
        if (catalogue_find(&catalogue, &query, &row) == STATUS_OK &&
            catalogue_read_price(&catalogue, &row, &price) == STATUS_OK)
            assert_int_equal(catalogue_read_facts(&row, &facts), STATUS_OK);
        assert_true(catalogue_check(&catalogue, NULL) <= STATUS_INVALID);
        alloc_free(copy);
    }
    end(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_and_tier_of_the_embedded_catalogue_can_be_read),
        cmocka_unit_test(every_row_of_the_embedded_catalogue_is_found_by_its_names),
        cmocka_unit_test(the_embedded_catalogue_knows_a_well_known_model),
        cmocka_unit_test(the_row_that_holds_is_the_last_that_has_begun),
        cmocka_unit_test(a_price_has_the_tiers_of_its_own_day),
        cmocka_unit_test(other_columns_are_refused),
        cmocka_unit_test(the_check_names_the_first_line_that_is_wrong),
        cmocka_unit_test(a_catalogue_cut_anywhere_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
