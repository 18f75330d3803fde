/* What one level (a key, a user or a team) may do, and the limits that hold for it.
 *
 * Rules are immutable and shared by reference; a change makes new ones. A level without rules has
 * none: NULL, which stands for "everything" in every function here.
 *
 * Thread: any. Memory: the rules own all that they hold, and a reference of their `level`. */
#ifndef IDENTITY_RULES_H
#define IDENTITY_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define IDENTITY_LIST_SIZE_MAX 4096 /* of models, routes, networks or tags, joined by commas */

struct level; /* of policy/level.h, which this folder does not know */
struct identity_rules;

/* Everything is copied. data is NULL: all; of tags: none. */
struct identity_rules_spec {
    struct slice models;   /* names, exact or with one trailing '*' */
    struct slice routes;   /* the same of routes, as "/v1/chat/completions" */
    struct slice networks; /* CIDR (base/cidr.h) */
    struct slice tags;
    struct level *level;                 /* NULL: no limits. A reference, taken over on STATUS_OK */
    void (*unref)(struct level **level); /* ends it, on any thread; static */
};

/* *rules_out is NULL where the spec says nothing. STATUS_INVALID: a network is none. STATUS_TOO_LARGE:
 * a list is longer than its maximum. STATUS_NO_MEMORY. */
MUST_CHECK enum status identity_rules_create(const struct identity_rules_spec *spec,
                                             struct identity_rules **rules_out,
                                             struct reason *reason);
struct identity_rules *identity_rules_ref(struct identity_rules *rules);
void identity_rules_unref(struct identity_rules **rules);

bool identity_rules_allow_model(const struct identity_rules *rules, struct slice model);
/* `route` is the route's name with its /v1. */
bool identity_rules_allow_route(const struct identity_rules *rules, struct slice route);
/* `address` has 16 bytes, IPv4 as ::ffff:a.b.c.d. NULL: the client has none (a UNIX socket); then only
 * rules without networks allow it. */
bool identity_rules_allow_address(const struct identity_rules *rules, const unsigned char *address);
bool identity_rules_have_networks(const struct identity_rules *rules);
struct slice identity_rules_tags(const struct identity_rules *rules);
/* Borrowed; NULL: no limits. */
struct level *identity_rules_level(const struct identity_rules *rules);
size_t identity_rules_bytes(const struct identity_rules *rules);

#endif
