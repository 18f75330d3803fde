/* Health routes: no key, no call upstream. */
#ifndef GATEWAY_PROBES_H
#define GATEWAY_PROBES_H

struct request;

void health_handle(struct request *request);
void livez_handle(struct request *request);
void readyz_handle(struct request *request);

#endif
