/* Messages by id: a memo of an owner's rows, and of ids that have none, read in batches. What the memo lacks is loaded
 * in one query. */
#ifndef CACHE_BY_ID_H
#define CACHE_BY_ID_H

#include <protobuf-c/protobuf-c.h>
#include "cache/memo.h"
#include "cache/read_from.h"
#include "db/db.h"

struct by_id {
        const char *name; /* in metrics */
        /* The rows of those that exist, complete, in any order, in the call's arena. */
        sn_status (*load)(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, ProtobufCMessage ***rows);
        const char *(*id_of)(const ProtobufCMessage *row);
        struct memo *memo; /* NULL until by_id_start */
};

SN_CHECKED sn_status by_id_start(struct by_id *b, size_t max_bytes);
void by_id_stop(struct by_id *b);

/* out[i] is the row of ids[i], NULL when there is none (or none in memory, when only that is asked). Read-only; lives
 * as long as the call. */
SN_CHECKED sn_status by_id_get(struct rpc_call *c, struct by_id *b, enum read_from from, char *const *ids, size_t n,
                               ProtobufCMessage **out);
/* The row changes in this transaction, or comes to be in it: what is remembered of its id is dropped when it ends. */
void by_id_changed(struct by_id *b, struct db_tx *tx, const char *id);

#endif
