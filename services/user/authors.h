/* What is shown of members next to their notes, cached in memory by the owning process. */
#ifndef SERVICES_USER_AUTHORS_H
#define SERVICES_USER_AUTHORS_H

#include "db/db.h"
#include "services/user/user.rpc.h"

SN_CHECKED sn_status authors_start(size_t max_bytes);
void authors_stop(void);

/* items[i] belongs to ids[i]; its ID is empty if the member does not exist. */
SN_CHECKED sn_status authors_get(struct rpc_call *c, char **ids, size_t n, User__Author ***items);
void authors_changed(struct db_tx *tx, const char *id);

/* Drops what another program changed, when its event arrives. Does nothing in a process without the cache. */
void authors_changed_outside(const char *id);

#endif
