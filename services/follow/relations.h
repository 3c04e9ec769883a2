/* Relationships between a viewer and others, cached in memory by the owning process. */
#ifndef SERVICES_FOLLOW_RELATIONS_H
#define SERVICES_FOLLOW_RELATIONS_H

#include "base/call.h"
#include "cache/read_from.h"
#include "db/db.h"
#include "services/follow/follow.rpc.h"

SN_CHECKED sn_status relations_start(size_t max_bytes);
void relations_stop(void);

/* items[i] is the viewer's relationship with ids[i], in the call's arena. If only memory is read, a missing one
 * counts as blocked. */
SN_CHECKED sn_status relations_get(struct rpc_call *c, enum read_from from, const char *viewer, char *const *ids,
                                   size_t n, Follow__Relationship ***items);
/* The same for several viewers: items[i] is that of viewers[i] with ids[i]. */
SN_CHECKED sn_status relations_get_pairs(struct rpc_call *c, enum read_from from, char *const *viewers,
                                         char *const *ids, size_t n, Follow__Relationship ***items);
/* blocks[i]: blockers[i] blocks blocked[i]. */
SN_CHECKED sn_status relations_blocks(struct rpc_call *c, enum read_from from, char **blockers, char **blocked,
                                      size_t n, protobuf_c_boolean *blocks);
/* Increases whenever the viewer follows someone; 0 if they never have. */
SN_CHECKED sn_status relations_version(struct rpc_call *c, const char *viewer, int64_t *version);

/* Both directions between a and b change in this transaction: dropped from the cache when it ends. */
void relations_changed(struct db_tx *tx, const char *a, const char *b);
/* The actor's relationship with a member at the end of this transaction: the response of every change, built before
 * COMMIT because nothing may fail after it. */
SN_CHECKED sn_status relations_answer(struct db_tx *tx, const char *other, Follow__Relationship *out);

#endif
