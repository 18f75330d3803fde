/* GET /v1/stats: what the key's user has spent in the last 30 days. */
#ifndef GATEWAY_STATS_H
#define GATEWAY_STATS_H

struct request;

void stats_handle(struct request *request);

#endif
