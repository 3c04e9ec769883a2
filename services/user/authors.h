/* Authors: what is shown of members beside their notes, cached in memory by their owner. */
#ifndef SERVICES_USER_AUTHORS_H
#define SERVICES_USER_AUTHORS_H

#include "db/db.h"
#include "services/user/user.rpc.h"

SN_CHECKED sn_status authors_start(size_t max_bytes);
void authors_stop(void);

/* items[i] belongs to ids[i]; its id is empty when there is no such member. */
SN_CHECKED sn_status authors_get(struct rpc_call *c, char **ids, size_t n, User__Author ***items);
void authors_changed(struct db_tx *tx, const char *id);

/* The same of what another program changed, when its event comes. In a process without the cache nothing happens. */
void authors_changed_outside(const char *id);

#endif
