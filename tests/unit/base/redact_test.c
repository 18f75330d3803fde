#include "base/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DIGITS "0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZabc"

static void becomes(const char *text, const char *expected)
{
    char in_place[512];
    (void)strncpy(in_place, text, sizeof(in_place) - 1);
    in_place[sizeof(in_place) - 1] = '\0';
    redact_text(in_place);
    assert_string_equal(in_place, expected);
    assert_int_equal(redact_finds(slice_from_text(text)), strcmp(text, expected) != 0);
    redact_text(in_place); /* once more changes nothing */
    assert_string_equal(in_place, expected);
}

static void a_secret_ends_after_its_prefix(void **state)
{
    (void)state;
    becomes("sk-weir-" DIGITS, "sk-weir-…");
    becomes("weir-admin-" DIGITS, "weir-admin-…");
    becomes("there is no team sk-weir-" DIGITS ", sorry", "there is no team sk-weir-…, sorry");
    becomes("/v1/models/weir-admin-" DIGITS "/x", "/v1/models/weir-admin-…/x");
    becomes("xsk-weir-" DIGITS, "xsk-weir-…");
}

static void several_secrets_end_each(void **state)
{
    (void)state;
    becomes("sk-weir-" DIGITS " weir-admin-" DIGITS, "sk-weir-… weir-admin-…");
    becomes("sk-weir-" DIGITS "sk-weir-" DIGITS, "sk-weir-…");
    becomes("weir-admin-sk-weir-" DIGITS, "weir-admin-…");
}

static void other_texts_stay_as_they_are(void **state)
{
    (void)state;
    const char *const texts[] = {"",
                                 "w",
                                 "weir-",
                                 "sk-weir-",
                                 "weir-admin-",
                                 "sk-weir-…",
                                 "weir-admin-ab",
                                 "weir-data/keys",
                                 "sk-proj-" DIGITS,
                                 "the key begins with sk-weir- but its checksum is wrong",
                                 "weir-weir-weir-" DIGITS,
                                 "Weir-Admin-" DIGITS};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        becomes(texts[i], texts[i]);
}

static void a_secret_that_was_cut_anywhere_shows_no_more_than_two_digits(void **state)
{
    (void)state;
    const struct slice whole = SLICE("no user weir-admin-" DIGITS);
    for (size_t size = 0; size <= whole.size; size++) {
        char out[128];
        const size_t left = redact_write(slice_of(whole.data, size), out);
        assert_true(left <= size);
        assert_true(left <= sizeof("no user weir-admin-") - 1 + 3);
    }
    assert_int_equal(redact_write((struct slice){0}, NULL), 0);
    assert_false(redact_finds((struct slice){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_ends_after_its_prefix),
        cmocka_unit_test(several_secrets_end_each),
        cmocka_unit_test(other_texts_stay_as_they_are),
        cmocka_unit_test(a_secret_that_was_cut_anywhere_shows_no_more_than_two_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
