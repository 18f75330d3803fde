/* Which provider and model a request goes to. */
#ifndef GATEWAY_TARGET_H
#define GATEWAY_TARGET_H

#include "gateway/request.h"

/* Whether the request's key may use the model of that name. */
bool target_is_allowed(const struct request *request, struct slice model);

/* Sets the request's endpoint and target model for the model that it asks for. STATUS_OK; else
 * the error is noted: an unknown model and one that the key may not use look alike. */
MUST_CHECK enum status target_choose(struct request *request, struct slice model);

#endif
