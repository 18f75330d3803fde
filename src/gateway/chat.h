/* The routes of OpenAI's API that take a body: chat completions, completions, embeddings,
 * moderations. */
#ifndef GATEWAY_CHAT_H
#define GATEWAY_CHAT_H

#include "dialect/openai_rewrite.h"
#include "gateway/call.h"
#include "gateway/relay.h"
#include "gateway/request.h"

/* The request has authenticated. */
void chat_handle(struct request *request);

/* Reads what weir decides by in the body. STATUS_OK; else the error is noted. */
MUST_CHECK enum status chat_inspect(struct request *request, enum openai_route route);

/* Calls the target, and once more without stream_options if it does not know them. STATUS_OK: the
 * answer began; it is held whole unless it is an event stream. Else the error is noted.
 * `compose` writes the request for upstream. call_finish() is due in both cases. */
typedef enum status chat_compose(const struct openai_request *request,
                                 const struct openai_rewrite *rewrite, struct arena *arena,
                                 struct json_pieces *pieces_out);
MUST_CHECK enum status chat_call(struct request *request, chat_compose *compose, struct call *call,
                                 struct held_answer *held);

#endif
