#include "models/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/small_catalogue.h"

static struct buffer models, tiers;
static struct catalogue catalogue;

static int make_catalogue(void **state)
{
    static const char *keys[] = {
        "azure,gpt-4o,,,2026-01-01",
        "azure,gpt-4o,eu,,2026-01-01",
        "azure,only-here,us,,2026-01-01",
        "azure_ai,phi,,,2026-01-01",
        "gemini,gemini-2.5-pro,,,2026-01-01",
        "openai,ft:gpt-4o,,,2026-01-01",
        "openai,ft:gpt-4o-2024-08-06,,,2026-01-01",
        "openai,gpt-4o,,,2026-01-01",
        "openai,gpt-4o-2024-08-06,,,2026-01-01",
        "openai,image,,,2026-01-01",
        "openai,image,,high/1024x1024,2026-01-01",
        "openai,models/odd,,,2026-01-01",
        "vertex_ai,claude@20251001,,,2026-01-01",
        "vertex_ai,claude@default,,,2026-01-01",
        "vertex_ai,gemini,,,2026-01-01",
    };
    (void)state;
    struct slice model_text, tier_text;
    buffer_init(&models, 1 << 16);
    buffer_init(&tiers, 1 << 16);
    small_catalogue_heads(&models, &tiers);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        small_catalogue_model(&models, keys[i], "chat", "1", "2");
    model_text = buffer_slice(&models);
    tier_text = buffer_slice(&tiers);
    return catalogue_open(model_text, tier_text, &catalogue, NULL) == STATUS_OK ? 0 : -1;
}

static int free_catalogue(void **state)
{
    (void)state;
    buffer_fini(&models);
    buffer_fini(&tiers);
    return 0;
}

static void assert_found(const char *provider, const char *model, const char *region,
                         const char *variant, const char *key)
{
    const struct catalogue_query query = {slice_from_text(provider), slice_from_text(model),
                                          slice_from_text(region), slice_from_text(variant), 0};
    struct catalogue_row row;
    const enum status status = catalogue_find(&catalogue, &query, &row);
    if (key == NULL) {
        assert_int_equal(status, STATUS_NOT_FOUND);
        return;
    }
    assert_int_equal(status, STATUS_OK);
    if (!slice_starts_with(row.line, slice_from_text(key)))
        fail_msg("%s/%s: %.*s", provider, model, SLICE_ARGS(row.line));
}

static void the_name_itself_goes_first(void **state)
{
    (void)state;
    assert_found("openai", "gpt-4o", "", "", "openai,gpt-4o,");
    assert_found("openai", "gpt-4o-2024-08-06", "", "", "openai,gpt-4o-2024-08-06,");
    assert_found("vertex_ai", "claude@20251001", "", "", "vertex_ai,claude@20251001,");
}

static void an_unknown_snapshot_is_priced_as_its_model(void **state)
{
    (void)state;
    assert_found("openai", "gpt-4o-2031-01-31", "", "", "openai,gpt-4o,");
    assert_found("openai", "gpt-4o-20310131", "", "", "openai,gpt-4o,");
    assert_found("vertex_ai", "gemini@20310131", "", "", "vertex_ai,gemini,");
    assert_found("vertex_ai", "claude@20310131", "", "", "vertex_ai,claude@default,");
    assert_found("vertex_ai", "claude", "", "", "vertex_ai,claude@default,");
}

static void what_only_looks_like_a_date_is_part_of_the_name(void **state)
{
    (void)state;
    assert_found("openai", "gpt-4o-2031", "", "", NULL);
    assert_found("openai", "gpt-4o-2031-1-31", "", "", NULL);
    assert_found("openai", "gpt-4o-203101311", "", "", NULL);
    assert_found("openai", "gpt-4o-2031013a", "", "", NULL);
    assert_found("openai", "gpt-4o2031-01-31", "", "", NULL);
    assert_found("openai", "-2031-01-31", "", "", NULL);
    assert_found("openai", "2031-01-31", "", "", NULL);
}

static void a_fine_tune_is_priced_as_those_of_its_base(void **state)
{
    (void)state;
    assert_found("openai", "ft:gpt-4o:ours::abc", "", "", "openai,ft:gpt-4o,");
    assert_found("openai", "ft:gpt-4o-2024-08-06:ours::abc", "", "",
                 "openai,ft:gpt-4o-2024-08-06,");
    assert_found("openai", "ft:gpt-4o-2031-01-31:ours::abc", "", "", "openai,ft:gpt-4o,");
    assert_found("openai", "ft:gpt-4o", "", "", "openai,ft:gpt-4o,");
    assert_found("openai", "ft:gpt-5:ours::abc", "", "", NULL);
    assert_found("openai", "ft:", "", "", NULL);
    assert_found("openai", "ft::", "", "", NULL);
}

static void a_region_or_variant_that_is_not_listed_has_the_default_price(void **state)
{
    (void)state;
    assert_found("azure", "gpt-4o", "eu", "", "azure,gpt-4o,eu,");
    assert_found("azure", "gpt-4o", "apac", "", "azure,gpt-4o,,");
    assert_found("azure", "gpt-4o", "eu", "high", "azure,gpt-4o,eu,");
    assert_found("openai", "image", "", "high/1024x1024", "openai,image,,high/1024x1024,");
    assert_found("openai", "image", "", "low/1024x1024", "openai,image,,,");
    assert_found("openai", "image", "eu", "high/1024x1024", "openai,image,,high/1024x1024,");
    assert_found("openai", "image", "", "", "openai,image,,,");
}

static void a_model_that_is_only_in_a_region_has_no_price_elsewhere(void **state)
{
    (void)state;
    assert_found("azure", "only-here", "us", "", "azure,only-here,us,");
    assert_found("azure", "only-here", "", "", NULL);
    assert_found("azure", "only-here", "eu", "", NULL);
}

static void gemini_s_names_may_begin_with_models(void **state)
{
    (void)state;
    assert_found("gemini", "models/gemini-2.5-pro", "", "", "gemini,gemini-2.5-pro,");
    assert_found("gemini", "models/", "", "", NULL);
    assert_found("openai", "models/odd", "", "", "openai,models/odd,");
    assert_found("openai", "models/gpt-4o", "", "", NULL);
}

static void vertex_s_names_may_begin_with_google(void **state)
{
    (void)state;
    assert_found("vertex_ai", "google/gemini", "", "", "vertex_ai,gemini,");
    assert_found("vertex_ai", "google/claude", "", "", "vertex_ai,claude@default,");
    assert_found("vertex_ai", "google/", "", "", NULL);
    assert_found("vertex_ai", "models/gemini", "", "", NULL);
}

static void azure_has_two_names(void **state)
{
    (void)state;
    assert_found("azure", "phi", "", "", "azure_ai,phi,");
    assert_found("azure_ai", "gpt-4o", "eu", "", "azure,gpt-4o,eu,");
    assert_found("azure_ai", "gpt-4o-2031-01-31", "", "", "azure,gpt-4o,,");
    assert_found("azure_ai", "claude", "", "", NULL);
}

static void names_that_are_empty_or_absurd_are_not_found(void **state)
{
    (void)state;
    char longest[4096];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_found("openai", "", "", "", NULL);
    assert_found("", "gpt-4o", "", "", NULL);
    assert_found("nobody", "gpt-4o", "", "", NULL);
    assert_found("openai", "gpt-4o,", "", "", NULL);
    assert_found("openai", "gpt-4o\n", "", "", NULL);
    assert_found("vertex_ai", longest, "", "", NULL);
    longest[256] = '\0';
    assert_found("vertex_ai", longest, longest, longest, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_itself_goes_first),
        cmocka_unit_test(an_unknown_snapshot_is_priced_as_its_model),
        cmocka_unit_test(what_only_looks_like_a_date_is_part_of_the_name),
        cmocka_unit_test(a_fine_tune_is_priced_as_those_of_its_base),
        cmocka_unit_test(a_region_or_variant_that_is_not_listed_has_the_default_price),
        cmocka_unit_test(a_model_that_is_only_in_a_region_has_no_price_elsewhere),
        cmocka_unit_test(gemini_s_names_may_begin_with_models),
        cmocka_unit_test(vertex_s_names_may_begin_with_google),
        cmocka_unit_test(azure_has_two_names),
        cmocka_unit_test(names_that_are_empty_or_absurd_are_not_found),
    };
    return cmocka_run_group_tests(tests, make_catalogue, free_catalogue);
}
