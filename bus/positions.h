/* Positions in a log: assigned to the events that have none, densely and in one order. Private to bus/. */
#ifndef BUS_POSITIONS_H
#define BUS_POSITIONS_H

#include "bus/stream_write.h"
#include "db/db.h"

#define POSITIONS_BATCH         500
#define POSITIONS_EMITTER_BATCH 32 /* most positions that an emitter assigns */

/* Assigns positions in a transaction, and first gives the log a new name if the database was restored. Sets the batch's
 * log_id. *busy: another transaction is assigning some. */
SN_CHECKED sn_status positions_assign(struct rpc_call *c, struct relay_batch *batch, bool *busy);
/* The same if the log still has the batch's log_id; otherwise it assigns none. */
SN_CHECKED sn_status positions_assign_next(struct rpc_call *c, struct relay_batch *batch, bool *busy);
/* The same as part of a transaction that emits, before its COMMIT, for at most POSITIONS_EMITTER_BATCH events. Assigns
 * none if another transaction is assigning some. */
SN_CHECKED sn_status positions_assign_later(struct db_tx *tx, const char *log_id, struct db_rows **assigned);
/* Reads events with positions. *unassigned: others have none. */
SN_CHECKED sn_status positions_read(struct rpc_call *c, int64_t after, struct relay_batch *batch, bool *unassigned);
/* Completes events that were read as rows. */
void positions_name_source(const struct rpc_call *c, const struct relay_batch *batch);

#endif
