/* The SQL of notification_service. */
#ifndef SERVICES_NOTIFICATION_STORE_H
#define SERVICES_NOTIFICATION_STORE_H

#include "db/db.h"
#include "services/notification/arrivals.h"
#include "services/notification/notification_rows.rpc.h"
#include "services/page.h"

/* A notification for so many actors takes no more: who comes later begins another one. */
#define GROUP_FULL 500

/* ---- store_arrivals.c ---- */

/* Adds to notifications that are open, or begins new ones: those that changed, with whom they tell. */
SN_CHECKED sn_status store_add_arrivals(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                                        NotificationRows__Changed ***rows);
SN_CHECKED sn_status store_close_full(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n);
/* Takes actors out of notifications that nobody has read: a row for each who was in one. */
SN_CHECKED sn_status store_undo_arrivals(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                                         NotificationRows__Changed ***rows);
/* Deletes those of the notifications that have no actor left. */
SN_CHECKED sn_status store_remove_empty(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n);

/* ---- store_lists.c ---- */

/* Places in a member's list, in its order. */
struct list_filter {
        const char *user_id;
        char **types; /* none: all */
        size_t n_types;
        bool unread, archived;
};
SN_CHECKED sn_status store_places(struct db_tx *tx, const struct list_filter *filter, const struct page_scan *scan,
                                  size_t *n, NotificationRows__Place ***rows);
/* A member's notifications of those ids, in the order asked; others are left out, and those that are snoozed. Of
 * the actors of each the newest, at most so many. */
SN_CHECKED sn_status store_notifications(struct db_tx *tx, const char *user_id, char **ids, size_t n,
                                         int64_t actors_max, size_t *n_rows, NotificationRows__Stored ***rows);
SN_CHECKED sn_status store_actors(struct db_tx *tx, const char *notification_id, const struct page_scan *scan,
                                  size_t *n, NotificationRows__Place ***rows);

/* ---- store_marks.c: each gives how many rows it changed ---- */

SN_CHECKED sn_status store_mark_read(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t *changed);
SN_CHECKED sn_status store_mark_read_to(struct db_tx *tx, const char *user_id, const char *id, int64_t limit,
                                        int64_t *changed);
SN_CHECKED sn_status store_mark_seen(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *changed);
SN_CHECKED sn_status store_archive(struct db_tx *tx, const char *user_id, const char *id, bool archived,
                                   int64_t *changed);
SN_CHECKED sn_status store_snooze(struct db_tx *tx, const char *user_id, const char *id, int64_t until_ms,
                                  int64_t *changed);
SN_CHECKED sn_status store_delete(struct db_tx *tx, const char *user_id, const char *id, int64_t *changed);
SN_CHECKED sn_status store_is_own(struct db_tx *tx, const char *user_id, const char *id, bool *own);

/* ---- store_erase.c ---- */

SN_CHECKED sn_status store_erase_told(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n);
SN_CHECKED sn_status store_erase_actor(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n);
SN_CHECKED sn_status store_prune(struct db_tx *tx, int64_t days, int64_t limit, int64_t *n);

#endif
