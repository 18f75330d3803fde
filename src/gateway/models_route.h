/* GET /v1/models and /v1/models/{id}: what the key may call. */
#ifndef GATEWAY_MODELS_ROUTE_H
#define GATEWAY_MODELS_ROUTE_H

struct request;

void models_handle(struct request *request);
void model_handle(struct request *request);

#endif
