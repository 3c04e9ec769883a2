/* Writes of calls that wait at the same moment share one transaction: one BEGIN, one COMMIT, one fsync. Each call keeps
 * its own idempotency key, response and outcome, and is answered after the COMMIT, as with a transaction of its own. */
#ifndef DB_TOGETHER_H
#define DB_TOGETHER_H

#include <pthread.h>
#include "db/db.h"

/* Writes the parts of n calls, at least one. db_call(tx) may be none of them: what a part needs of its call (actor,
 * trace ID, time) is in the part. All or none take effect, so it fails only for reasons that no part is to blame for,
 * or that a part of a single call has. */
typedef sn_status db_write_parts(struct db_tx *tx, void *const *parts, size_t n);

struct db_joined;

/* One for each kind of write; a static variable. */
struct db_together {
        pthread_mutex_t lock;
        struct db_joined *first; /* that wait, in the order of arrival */
        int waiting;             /* how many these are */
        int running;             /* transactions */
        db_write_parts *write;
};
#define DB_TOGETHER(write_parts)                                                                                       \
        {                                                                                                              \
                .lock = PTHREAD_MUTEX_INITIALIZER, .write = (write_parts)                                              \
        }

/* Begins a transaction, has it written, and commits: in place of db_begin, writing and db_commit, with the same
 * results. If the transaction of several calls fails, each tries again in one of its own, so that none fails because of
 * another. part and answer must stay valid until it returns. */
SN_CHECKED sn_status db_write_together(struct db_together *together, struct rpc_call *c, void *part,
                                       const ProtobufCMessage *answer);

#endif
