/* Cross-origin access for browsers: the Fetch standard's "CORS protocol". */
#ifndef GATEWAY_CORS_H
#define GATEWAY_CORS_H

struct request;

/* Adds the headers that every answer carries. */
void cors_add_headers(struct request *request);
/* Answers OPTIONS, a preflight or not. */
void cors_answer_options(struct request *request);

#endif
