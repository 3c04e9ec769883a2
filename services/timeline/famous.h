/* Members with more than FANOUT_MAX followers: their notes are not delivered, but read when needed. Every process
 * knows them, at most FAMOUS_BELIEF_MS late, and delivery waits for that when a member becomes famous. */
#ifndef SERVICES_TIMELINE_FAMOUS_H
#define SERVICES_TIMELINE_FAMOUS_H

#include "base/call.h"
#include "base/settings.h"

#define FAMOUS_BELIEF_MS 500

SN_CHECKED sn_status famous_start(const struct settings *settings);
void famous_stop(void);

/* To how many followers a note is delivered at most. */
size_t famous_fanout_max(void);

/* Refreshes this process's list if it may be too old. */
SN_CHECKED sn_status famous_refresh(struct rpc_call *c);
bool famous_is(const char *author_id);
/* Returns once readers in all processes pull the author's notes: only then may delivery continue. */
SN_CHECKED sn_status famous_add(struct rpc_call *c, const char *author_id);

/* The famous members followed by the owner; relations_version: of the owner's relationships, as follow_service has
 * just returned it. The IDs are valid as long as the call. */
SN_CHECKED sn_status famous_followed(struct rpc_call *c, const char *owner, int64_t relations_version, char ***ids,
                                     size_t *n);

#endif
