/* What the map does to entries and nobody else. */
#ifndef IDENTITY_ENTRY_INTERNAL_H
#define IDENTITY_ENTRY_INTERNAL_H

#include "identity/entry.h"
#include "identity/map.h"

/* A team without users and rules, and one reference, the caller's; NULL when memory ran out. */
struct identity_team *identity_team_create(const struct id *id, struct slice name, bool disabled);
void identity_team_acquire(struct identity_team *team);
void identity_team_release(struct identity_team *team);
size_t identity_team_bytes(const struct identity_team *team);

/* A user without keys, rules and team, and one reference, the caller's; NULL when memory ran out. */
struct identity_user *identity_user_create(const struct id *id, struct slice name, bool disabled);
void identity_user_acquire(struct identity_user *user);
/* With the last reference go the user's of its team and of its rules. */
void identity_user_release(struct identity_user *user);
size_t identity_user_bytes(const struct identity_user *user);

/* An entry with one reference, the map's, that holds one of the user and takes that of the rules
 * over; NULL when memory ran out. */
struct identity_key *identity_key_create(const struct identity_spec *spec,
                                         struct identity_user *user);
size_t identity_key_bytes(const struct identity_key *key);

#endif
