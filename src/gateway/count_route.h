/* POST /v1/chat/completions/count: how many tokens a chat puts in, without calling anybody. */
#ifndef GATEWAY_COUNT_ROUTE_H
#define GATEWAY_COUNT_ROUTE_H

struct request;

/* The request has authenticated. */
void count_handle(struct request *request);

#endif
