#include "models/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGES_MAX 64
#define RANDOM_CHATS 20000

struct chat {
    struct context_message messages[MESSAGES_MAX];
    size_t count;
    struct context_fit fit;
};

static void say(struct chat *chat, enum context_role role, uint64_t tokens)
{
    chat->messages[chat->count++] = (struct context_message){.tokens = tokens, .role = role};
}

static void call(struct chat *chat, uint64_t tokens)
{
    say(chat, CONTEXT_ROLE_ASSISTANT, tokens);
    chat->messages[chat->count - 1].calls_tools = true;
}

static enum status fit(struct chat *chat, uint64_t window, enum context_strategy strategy)
{
    const struct context_limits limits = {.window_tokens = window, .strategy = strategy};
    return context_fit(chat->messages, chat->count, &limits, &chat->fit);
}

/* A letter for each message: its role's in a capital if it stays, else a point. */
static const char *kept(const struct chat *chat)
{
    static char text[MESSAGES_MAX + 1];
    for (size_t i = 0; i < chat->count; i++)
        text[i] = chat->messages[i].is_kept ? "SUAT"[chat->messages[i].role] : '.';
    text[chat->count] = '\0';
    return text;
}

static struct chat three_turns(void)
{
    struct chat chat = {0};
    say(&chat, CONTEXT_ROLE_SYSTEM, 5);
    for (int i = 0; i < 3; i++) {
        say(&chat, CONTEXT_ROLE_USER, 10);
        say(&chat, CONTEXT_ROLE_ASSISTANT, 10);
    }
    say(&chat, CONTEXT_ROLE_USER, 10);
    return chat;
}

static void what_fits_stays_whole(void **state)
{
    (void)state;
    struct chat chat = three_turns();
    assert_int_equal(fit(&chat, 75, CONTEXT_DROP_OLDEST), STATUS_OK);
    assert_string_equal(kept(&chat), "SUAUAUAU");
    assert_int_equal(chat.fit.dropped_count, 0);
    assert_int_equal(chat.fit.input_tokens, 75);
}

static void the_oldest_turns_go_first_and_whole(void **state)
{
    (void)state;
    struct chat chat = three_turns();
    assert_int_equal(fit(&chat, 74, CONTEXT_DROP_OLDEST), STATUS_OK);
    assert_string_equal(kept(&chat), "S..UAUAU");
    assert_int_equal(chat.fit.dropped_count, 2);
    assert_int_equal(chat.fit.input_tokens, 55);
    assert_int_equal(fit(&chat, 54, CONTEXT_DROP_OLDEST), STATUS_OK);
    assert_string_equal(kept(&chat), "S....UAU");
    assert_int_equal(fit(&chat, 15, CONTEXT_DROP_OLDEST), STATUS_OK);
    assert_string_equal(kept(&chat), "S......U");
}

static void middle_out_keeps_the_beginning_and_the_end(void **state)
{
    (void)state;
    struct chat chat = three_turns();
    assert_int_equal(fit(&chat, 74, CONTEXT_MIDDLE_OUT), STATUS_OK);
    assert_string_equal(kept(&chat), "SUA..UAU");
    assert_int_equal(fit(&chat, 54, CONTEXT_MIDDLE_OUT), STATUS_OK);
    assert_string_equal(kept(&chat), "SUA....U");
    assert_int_equal(fit(&chat, 34, CONTEXT_MIDDLE_OUT), STATUS_OK);
    assert_string_equal(kept(&chat), "S......U");
}

static void passing_keeps_all_and_says_what_it_comes_to(void **state)
{
    (void)state;
    struct chat chat = three_turns();
    assert_int_equal(fit(&chat, 1, CONTEXT_PASS), STATUS_OK);
    assert_string_equal(kept(&chat), "SUAUAUAU");
    assert_int_equal(chat.fit.input_tokens, 75);
}

static void a_last_turn_that_does_not_fit_is_too_large(void **state)
{
    (void)state;
    struct chat chat = three_turns();
    assert_int_equal(fit(&chat, 14, CONTEXT_DROP_OLDEST), STATUS_TOO_LARGE);
    assert_string_equal(kept(&chat), "SUAUAUAU");
    assert_int_equal(chat.fit.input_tokens, 75);
    assert_int_equal(fit(&chat, 14, CONTEXT_MIDDLE_OUT), STATUS_TOO_LARGE);
    chat.count = 0;
    assert_int_equal(fit(&chat, 0, CONTEXT_DROP_OLDEST), STATUS_OK);
    say(&chat, CONTEXT_ROLE_SYSTEM, 1);
    assert_int_equal(fit(&chat, 0, CONTEXT_DROP_OLDEST), STATUS_TOO_LARGE);
}

static void room_for_the_answer_and_the_tools_is_set_aside(void **state)
{
    (void)state;
    struct chat chat = three_turns();
    struct context_limits limits = {.window_tokens = 100,
                                    .output_tokens = 20,
                                    .besides_tokens = 5,
                                    .strategy = CONTEXT_DROP_OLDEST};
    assert_int_equal(context_fit(chat.messages, chat.count, &limits, &chat.fit), STATUS_OK);
    assert_int_equal(chat.fit.input_tokens, 80);
    limits.output_tokens = 21;
    assert_int_equal(context_fit(chat.messages, chat.count, &limits, &chat.fit), STATUS_OK);
    assert_int_equal(chat.fit.input_tokens, 60);
    limits.output_tokens = 101;
    assert_int_equal(context_fit(chat.messages, chat.count, &limits, &chat.fit), STATUS_TOO_LARGE);
}

static void sums_beyond_all_numbers_do_not_fit(void **state)
{
    (void)state;
    struct chat chat = {0};
    say(&chat, CONTEXT_ROLE_USER, UINT64_MAX);
    say(&chat, CONTEXT_ROLE_ASSISTANT, UINT64_MAX);
    say(&chat, CONTEXT_ROLE_USER, 1);
    assert_int_equal(fit(&chat, 10, CONTEXT_DROP_OLDEST), STATUS_TOO_LARGE);
    assert_int_equal(chat.fit.input_tokens, UINT64_MAX);
}

static void a_result_of_an_earlier_turns_call_binds_the_turns_together(void **state)
{
    (void)state;
    struct chat chat = {0};
    say(&chat, CONTEXT_ROLE_USER, 10);
    call(&chat, 10);
    say(&chat, CONTEXT_ROLE_SYSTEM, 1);
    say(&chat, CONTEXT_ROLE_USER, 10);
    say(&chat, CONTEXT_ROLE_TOOL, 10);
    say(&chat, CONTEXT_ROLE_USER, 10);
    assert_int_equal(fit(&chat, 50, CONTEXT_DROP_OLDEST), STATUS_OK);
    assert_string_equal(kept(&chat), "..S..U");
}

/* --- chance ------------------------------------------------------------------------------------ */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct chat random_chat(uint64_t *random)
{
    struct chat chat = {0};
    const size_t count = next_random(random) % (MESSAGES_MAX - 8);
    while (chat.count < count) {
        const uint64_t tokens = next_random(random) % 50;
        switch (next_random(random) % 8) {
        case 0:
            say(&chat, CONTEXT_ROLE_SYSTEM, tokens);
            break;
        case 1:
        case 2:
        case 3:
            say(&chat, CONTEXT_ROLE_USER, tokens);
            break;
        case 4:
        case 5:
            say(&chat, CONTEXT_ROLE_ASSISTANT, tokens);
            break;
        default:
            call(&chat, tokens);
            for (uint64_t results = next_random(random) % 4; results > 0; results--)
                say(&chat, CONTEXT_ROLE_TOOL, next_random(random) % 50);
        }
    }
    return chat;
}

/* The first message that is no system message and, if `only_kept`, stays. */
static size_t first_spoken(const struct chat *chat, bool only_kept)
{
    size_t at = 0;
    while (at < chat->count && (chat->messages[at].role == CONTEXT_ROLE_SYSTEM ||
                                (only_kept && !chat->messages[at].is_kept)))
        at++;
    return at;
}

static void check_is_valid(const struct chat *chat)
{
    size_t caller = SIZE_MAX;
    size_t last_user = 0;
    for (size_t i = 0; i < chat->count; i++) {
        const struct context_message *message = &chat->messages[i];
        if (message->role == CONTEXT_ROLE_SYSTEM)
            assert_true(message->is_kept);
        if (message->calls_tools)
            caller = i;
        if (message->role == CONTEXT_ROLE_TOOL && caller != SIZE_MAX)
            assert_int_equal(message->is_kept, chat->messages[caller].is_kept);
        if (message->role == CONTEXT_ROLE_USER)
            last_user = i;
    }
    for (size_t i = last_user; i < chat->count; i++)
        assert_true(chat->messages[i].is_kept);
    const size_t first = first_spoken(chat, false);
    const size_t first_kept = first_spoken(chat, true);
    if (first < chat->count && chat->messages[first].role == CONTEXT_ROLE_USER)
        assert_int_equal(chat->messages[first_kept].role, CONTEXT_ROLE_USER);
    if (first_kept != first && first_kept < chat->count)
        assert_int_equal(chat->messages[first_kept].role, CONTEXT_ROLE_USER);
}

static uint64_t sum_of_kept(const struct chat *chat)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < chat->count; i++)
        sum += chat->messages[i].is_kept ? chat->messages[i].tokens : 0;
    return sum;
}

static void whatever_the_chat_what_stays_fits_and_is_a_conversation(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    unsigned dropped = 0;
    unsigned refused = 0;
    for (int i = 0; i < RANDOM_CHATS; i++) {
        struct chat chat = random_chat(&random);
        const uint64_t window = next_random(&random) % 800;
        const enum context_strategy strategy =
            i % 2 == 0 ? CONTEXT_DROP_OLDEST : CONTEXT_MIDDLE_OUT;
        const enum status status = fit(&chat, window, strategy);
        assert_int_equal(sum_of_kept(&chat), chat.fit.input_tokens);
        if (status == STATUS_OK)
            assert_true(chat.fit.input_tokens <= window);
        else
            assert_int_equal(status, STATUS_TOO_LARGE);
        check_is_valid(&chat);
        dropped += chat.fit.dropped_count > 0;
        refused += status == STATUS_TOO_LARGE;
    }
    assert_true(dropped > RANDOM_CHATS / 4);
    assert_true(refused > RANDOM_CHATS / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays_whole),
        cmocka_unit_test(the_oldest_turns_go_first_and_whole),
        cmocka_unit_test(middle_out_keeps_the_beginning_and_the_end),
        cmocka_unit_test(passing_keeps_all_and_says_what_it_comes_to),
        cmocka_unit_test(a_last_turn_that_does_not_fit_is_too_large),
        cmocka_unit_test(room_for_the_answer_and_the_tools_is_set_aside),
        cmocka_unit_test(sums_beyond_all_numbers_do_not_fit),
        cmocka_unit_test(a_result_of_an_earlier_turns_call_binds_the_turns_together),
        cmocka_unit_test(whatever_the_chat_what_stays_fits_and_is_a_conversation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
