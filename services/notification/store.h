/* The SQL of notification_service. */
#ifndef SERVICES_NOTIFICATION_STORE_H
#define SERVICES_NOTIFICATION_STORE_H

#include "db/db.h"
#include "services/notification/notification.rpc.h"

/* 0 for a member without a row. */
SN_CHECKED sn_status notification_store_count(struct db_tx *tx, const char *user_id, Notification__Count *out);
/* Adds notes[i] to the count of authors[i]; an author may come more than once. */
SN_CHECKED sn_status notification_store_add(struct db_tx *tx, char *const *authors, const int64_t *notes, size_t n);

#endif
