/* Clean-up: rows that were kept long enough go, a portion at a time. */
#ifndef SERVICES_CLEANUP_H
#define SERVICES_CLEANUP_H

#include "db/db.h"

/* One portion, for a job: the statement is given how many rows of each table it may touch, and gives as "most" how many
 * it touched of the table where they were most. more: set when that was all it may. */
SN_CHECKED sn_status cleanup_portion(struct rpc_call *c, const struct db_statement *s, bool *more);

#endif
