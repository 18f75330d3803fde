/* POST /v1/chat and /v1/chat/stream: weir's own short form of a chat. */
#ifndef GATEWAY_SIMPLE_CHAT_H
#define GATEWAY_SIMPLE_CHAT_H

struct request;

void simple_chat_handle(struct request *request);
void simple_chat_stream_handle(struct request *request);

#endif
