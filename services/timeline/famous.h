/* Members with more followers than FANOUT_MAX: their notes are not delivered, their readers pull them. Every process
 * knows who they are, at most FAMOUS_BELIEF_MS late, and delivery waits for that when somebody becomes one. */
#ifndef SERVICES_TIMELINE_FAMOUS_H
#define SERVICES_TIMELINE_FAMOUS_H

#include "base/call.h"
#include "base/settings.h"

#define FAMOUS_BELIEF_MS 500

SN_CHECKED sn_status famous_start(const struct settings *settings);
void famous_stop(void);

/* How many followers a note is delivered to at most. */
size_t famous_fanout_max(void);

/* Brings what this process knows up to date, if it may be too old. */
SN_CHECKED sn_status famous_refresh(struct rpc_call *c);
bool famous_is(const char *author_id);
/* Returns when readers in all processes pull the author's notes: only then may delivery go on. */
SN_CHECKED sn_status famous_add(struct rpc_call *c, const char *author_id);

/* Which of them the owner follows; relations_version: of the owner's relations, as follow_service gave it just now. Ids
 * that live as long as the call. */
SN_CHECKED sn_status famous_followed(struct rpc_call *c, const char *owner, int64_t relations_version, char ***ids,
                                     size_t *n);

#endif
