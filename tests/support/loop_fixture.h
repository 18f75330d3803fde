/* A loop that the test turns itself, so that it sees what stands between two turns. */
#ifndef SUPPORT_LOOP_FIXTURE_H
#define SUPPORT_LOOP_FIXTURE_H

#include <stdbool.h>

#include "io/loop.h"

/* How long a test waits for what must come before it fails. */
#define LOOP_FIXTURE_MS_MAX 10000

struct loop *loop_fixture_create(void);
/* Fails the test if a task is still there. */
void loop_fixture_destroy(struct loop **loop);

/* Makes function(argument) a task and lets it run up to its first wait. */
void loop_fixture_run(struct loop *loop, void (*function)(void *), void *argument);
/* Turns until the condition holds; fails the test if it does not come to that. */
void loop_fixture_until(struct loop *loop, bool (*condition)(void *), void *argument);
/* Turns until *flag is true. */
void loop_fixture_until_set(struct loop *loop, const bool *flag);
/* Turns until no task is left. */
void loop_fixture_until_quiet(struct loop *loop);
/* A few turns, in which what can happen without waiting happens. */
void loop_fixture_settle(struct loop *loop);

#endif
