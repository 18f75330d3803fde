/* Bodies of chats, any bytes. What must hold: what can be read can be counted; the messages' counts
 * and what is besides them are the whole; what stays of a chat fits the window, with every result
 * of a tool beside its call; an image's size is found within its bytes or not at all. */
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "json/read.h"
#include "models/chat_count.h"
#include "models/image_size.h"

#define MESSAGES_MAX 256

static void load(void)
{
    for (unsigned i = 0; i < TOKEN_ENCODING_COUNT; i++)
        ASSERT(tokenizer_load((enum token_encoding)i, NULL) == STATUS_OK);
}

static const struct model_tokens *choose_model(uint8_t choice)
{
    static const char *const names[] = {"gpt-4o", "gpt-3.5-turbo-0301", "claude-3", "gpt-4", "x"};
    return model_tokens_find(slice_from_text(names[choice % (sizeof(names) / sizeof(names[0]))]));
}

static void fit(struct chat_messages *messages, uint64_t total, uint8_t choice)
{
    struct context_fit fit;
    const struct context_message *caller = NULL;
    const struct context_limits limits = {
        .window_tokens = total * (choice % 9u) / 8,
        .output_tokens = choice % 3u,
        .besides_tokens = messages->besides_tokens,
        .strategy = choice % 2u == 0 ? CONTEXT_DROP_OLDEST : CONTEXT_MIDDLE_OUT,
    };
    if (context_fit(messages->items, messages->count, &limits, &fit) == STATUS_OK)
        ASSERT(fit.input_tokens + limits.output_tokens <= limits.window_tokens);
    uint64_t sum = messages->besides_tokens;
    for (size_t i = 0; i < messages->count; i++) {
        const struct context_message *message = &messages->items[i];
        sum += message->is_kept ? message->tokens : 0;
        caller = message->calls_tools ? message : caller;
        if (message->role == CONTEXT_ROLE_TOOL && caller != NULL)
            ASSERT(message->is_kept == caller->is_kept);
    }
    ASSERT(sum == fit.input_tokens);
}

static void count(const struct json_object *body, uint8_t choice)
{
    static struct context_message items[MESSAGES_MAX];
    struct chat_messages messages = {.items = items, .capacity = MESSAGES_MAX};
    const struct model_tokens *model = choose_model(choice);
    struct input_count whole;
    struct input_count prompt;
    ASSERT(count_chat(model, body, &JSON_LIMITS_DEFAULT, &messages, &whole) == STATUS_OK);
    for (size_t i = 0; i < body->count; i++)
        ASSERT(count_prompt(model, body->members[i].value, &JSON_LIMITS_DEFAULT, &prompt) ==
               STATUS_OK);
    if (messages.count > messages.capacity)
        return;
    uint64_t sum = messages.besides_tokens;
    for (size_t i = 0; i < messages.count; i++)
        sum += items[i].tokens;
    ASSERT(sum == whole.input_tokens);
    fit(&messages, whole.input_tokens, choice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = slice_of(data, size);
    const uint8_t choice = size > 0 ? data[size / 2] : 0;
    struct image_size image;
    struct json_object body;
    struct json_error error;
    struct arena arena;
    if (tokenizer_get(TOKEN_ENCODING_CL100K) == NULL)
        load();
    if (image_size_read(text, &image) == STATUS_OK)
        ASSERT(image.width > 0 && image.height > 0);
    (void)!image_size_of_url(text, &image);
    arena_init(&arena, NULL, 0, 1 << 22);
    if (json_read_object(text, &JSON_LIMITS_DEFAULT, &arena, &body, &error) == STATUS_OK)
        count(&body, choice);
    arena_fini(&arena);
    return 0;
}
