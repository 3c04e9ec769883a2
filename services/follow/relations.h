/* Relations between a viewer and others, cached in memory by the one service that owns them. */
#ifndef SERVICES_FOLLOW_RELATIONS_H
#define SERVICES_FOLLOW_RELATIONS_H

#include "base/call.h"
#include "cache/read_from.h"
#include "db/db.h"
#include "services/follow/follow.rpc.h"

SN_CHECKED sn_status relations_start(size_t max_bytes);
void relations_stop(void);

/* items[i] is the viewer's relation with ids[i], in the call's arena. When only memory is asked, who is not there
 * counts as blocked. */
SN_CHECKED sn_status relations_get(struct rpc_call *c, enum read_from from, const char *viewer, char *const *ids,
                                   size_t n, Follow__Relationship ***items);
/* The same of several viewers: items[i] is that of viewers[i] with ids[i]. */
SN_CHECKED sn_status relations_get_pairs(struct rpc_call *c, enum read_from from, char *const *viewers,
                                         char *const *ids, size_t n, Follow__Relationship ***items);
/* blocks[i]: blockers[i] blocks blocked[i]. */
SN_CHECKED sn_status relations_blocks(struct rpc_call *c, enum read_from from, char **blockers, char **blocked,
                                      size_t n, protobuf_c_boolean *blocks);
/* Grows whenever the viewer follows somebody; 0 when they never did. */
SN_CHECKED sn_status relations_version(struct rpc_call *c, const char *viewer, int64_t *version);

/* Both directions between a and b changed in this transaction: dropped when it ends. */
void relations_changed(struct db_tx *tx, const char *a, const char *b);
/* The actor's relation with one member as this transaction leaves it: the answer of every change, made before COMMIT
 * because after it nothing may fail any more. */
SN_CHECKED sn_status relations_answer(struct db_tx *tx, const char *other, Follow__Relationship *out);

#endif
