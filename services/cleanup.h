/* Deletes rows past their retention, a portion at a time. */
#ifndef SERVICES_CLEANUP_H
#define SERVICES_CLEANUP_H

#include "db/db.h"

/* One portion, for a job: the statement gets how many rows of each table it may touch, and returns as "most" how
 * many it touched in the table with the most. more: set if that was the limit. */
SN_CHECKED sn_status cleanup_portion(struct rpc_call *c, const struct db_statement *s, bool *more);

#endif
