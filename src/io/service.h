/* A thread for work that may block, such as a database's. Tasks wait for it; loops do not.
 *
 * Lifecycle: service_create() starts the thread; service_destroy() lets it finish what is queued
 * and joins it. Jobs run one after another, in the order in which they were submitted.
 * Bounded: at most SERVICE_JOBS_MAX wait; then STATUS_LIMITED. */
#ifndef IO_SERVICE_H
#define IO_SERVICE_H

#include "base/status.h"
#include "io/loop.h"

#define SERVICE_JOBS_MAX 1024

struct service;

/* `name` (at most 15 characters) is the thread's. STATUS_NO_MEMORY. */
MUST_CHECK enum status service_create(const char *name, struct service **service_out);
void service_destroy(struct service **service);

/* Runs function(argument) on the service's thread and suspends the running task of `loop` until
 * it is done; cannot be cancelled, since the argument is in use. STATUS_OK: it ran;
 * STATUS_LIMITED: too many wait. */
MUST_CHECK enum status service_call(struct service *service, struct loop *loop,
                                    void (*function)(void *argument), void *argument);
/* The same without waiting, from any thread; function() owns the argument. */
MUST_CHECK enum status service_submit(struct service *service, void (*function)(void *argument),
                                      void *argument);

#endif
