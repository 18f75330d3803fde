#include "models/context.h"

#define NO_TURN UINT32_MAX

/* Without overflow; sums stay at the largest number. */
static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t sum_all(const struct context_message *messages, size_t count, uint64_t besides)
{
    uint64_t sum = besides;
    for (size_t i = 0; i < count; i++)
        sum = add(sum, messages[i].tokens);
    return sum;
}

/* Binds all messages before `at` that are in a later turn than `turn` to that one. */
static void join_turns(struct context_message *messages, size_t at, uint32_t turn)
{
    for (size_t i = at; i-- > 0 && messages[i].turn > turn;) {
        if (messages[i].turn != NO_TURN)
            messages[i].turn = turn;
    }
}

/* Numbers the turns from 0 on and gives how many there are; system messages are in none. A turn's
 * messages stand together but for those. */
static uint32_t number_turns(struct context_message *messages, size_t count)
{
    uint32_t turn = NO_TURN;    /* one less than the first */
    uint32_t calling = NO_TURN; /* the turn of the last message that called tools */
    bool after_user = false;
    for (size_t i = 0; i < count; i++) {
        struct context_message *message = &messages[i];
        const bool is_user = message->role == CONTEXT_ROLE_USER;
        message->turn = NO_TURN;
        if (message->role == CONTEXT_ROLE_SYSTEM)
            continue;
        if (turn == NO_TURN || (is_user && !after_user))
            turn++;
        if (message->role == CONTEXT_ROLE_TOOL && calling != NO_TURN && calling != turn) {
            join_turns(messages, i, calling);
            turn = calling;
        }
        if (message->calls_tools)
            calling = turn;
        message->turn = turn;
        after_user = is_user;
    }
    return turn + 1;
}

/* The turns [first, end) go; their messages, and system messages, are within [low, high). */
struct gap {
    uint32_t first;
    uint32_t end;
    size_t low;
    size_t high;
};

static struct gap gap_before(const struct context_message *messages, uint32_t turn)
{
    size_t at = 0;
    while (messages[at].turn == NO_TURN || messages[at].turn < turn)
        at++;
    return (struct gap){turn, turn, at, at};
}

/* Widens the gap by the turn behind it, or before it, and gives that turn's tokens. */
static uint64_t take_later(struct gap *gap, const struct context_message *messages, size_t count)
{
    uint64_t sum = 0;
    for (; gap->high < count; gap->high++) {
        const struct context_message *message = &messages[gap->high];
        if (message->turn != gap->end && message->turn != NO_TURN)
            break;
        sum = message->turn == gap->end ? add(sum, message->tokens) : sum;
    }
    gap->end++;
    return sum;
}

static uint64_t take_earlier(struct gap *gap, const struct context_message *messages)
{
    uint64_t sum = 0;
    gap->first--;
    for (; gap->low > 0; gap->low--) {
        const struct context_message *message = &messages[gap->low - 1];
        if (message->turn != gap->first && message->turn != NO_TURN)
            break;
        sum = message->turn == gap->first ? add(sum, message->tokens) : sum;
    }
    return sum;
}

/* Drops turns before the last one until what is left fits; false if it never does. */
static bool widen_gap(struct gap *gap, const struct context_message *messages, size_t count,
                      uint32_t last_turn, uint64_t too_many)
{
    const uint32_t middle = gap->first;
    uint64_t dropped = 0;
    while (dropped < too_many) {
        const bool is_later_nearer = gap->end - middle <= middle - gap->first + 1;
        if (gap->end < last_turn && (is_later_nearer || gap->first == 0))
            dropped = add(dropped, take_later(gap, messages, count));
        else if (gap->first > 0)
            dropped = add(dropped, take_earlier(gap, messages));
        else
            return false;
    }
    return true;
}

static void keep_all(struct context_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        messages[i].is_kept = true;
}

static void apply_gap(struct context_message *messages, size_t count, const struct gap *gap,
                      const struct context_limits *limits, struct context_fit *fit)
{
    fit->input_tokens = limits->besides_tokens;
    for (size_t i = 0; i < count; i++) {
        struct context_message *message = &messages[i];
        message->is_kept =
            message->turn == NO_TURN || message->turn < gap->first || message->turn >= gap->end;
        if (message->is_kept)
            fit->input_tokens = add(fit->input_tokens, message->tokens);
        else
            fit->dropped_count++;
    }
}

enum status context_fit(struct context_message *messages, size_t count,
                        const struct context_limits *limits, struct context_fit *fit_out)
{
    const uint64_t total = sum_all(messages, count, limits->besides_tokens);
    const uint64_t room = limits->window_tokens > limits->output_tokens
                              ? limits->window_tokens - limits->output_tokens
                              : 0;
    *fit_out = (struct context_fit){.input_tokens = total};
    keep_all(messages, count);
    if (limits->strategy == CONTEXT_PASS || total <= room)
        return STATUS_OK;
    const uint32_t turns = number_turns(messages, count);
    if (turns < 2)
        return STATUS_TOO_LARGE;
    const uint32_t last_turn = turns - 1;
    struct gap gap =
        gap_before(messages, limits->strategy == CONTEXT_MIDDLE_OUT ? last_turn / 2 : 0);
    if (total == UINT64_MAX || !widen_gap(&gap, messages, count, last_turn, total - room))
        return STATUS_TOO_LARGE;
    apply_gap(messages, count, &gap, limits, fit_out);
    return STATUS_OK;
}
