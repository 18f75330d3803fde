/* Any text as limits. What must hold: what is read is within its bounds, and is written and read
 * again as the same; what is refused has a reason of printable letters. */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "policy/limit.h"

#define BYTES_MAX 1024

static void assert_in_bounds(const struct limit *limit)
{
    ASSERT(limit->kind < LIMIT_KIND_COUNT && limit->window < LIMIT_WINDOW_COUNT);
    ASSERT(limit->amount > 0);
    ASSERT(limit->kind != LIMIT_MONEY || limit->amount <= LIMIT_NANOUSD_MAX);
    ASSERT(limit->kind != LIMIT_PARALLEL || limit->amount <= LIMIT_PARALLEL_MAX);
    ASSERT(limit->kind == LIMIT_MONEY || limit->amount <= LIMIT_AMOUNT_MAX);
    ASSERT((limit->kind == LIMIT_PARALLEL) == (limit->window == LIMIT_WINDOW_NONE));
}

static void assert_printable(const struct reason *reason)
{
    ASSERT(strlen(reason->text) > 0);
    for (const char *letter = reason->text; *letter != '\0'; letter++)
        ASSERT(isprint((unsigned char)*letter));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limits limits, again;
    struct reason reason = {""};
    char written[LIMITS_TEXT_BYTES];
    if (size > BYTES_MAX)
        return 0;
    if (limits_parse(slice_of(data, size), &limits, &reason) != STATUS_OK) {
        assert_printable(&reason);
        return 0;
    }
    const unsigned length = limits_format(&limits, written);
    ASSERT(limits_parse(slice_of(written, length), &again, &reason) == STATUS_OK);
    ASSERT(again.count == limits.count);
    for (size_t i = 0; i < limits.count; i++) {
        assert_in_bounds(&limits.items[i]);
        ASSERT(again.items[i].amount == limits.items[i].amount);
        ASSERT(again.items[i].kind == limits.items[i].kind);
        ASSERT(again.items[i].window == limits.items[i].window);
    }
    return 0;
}
