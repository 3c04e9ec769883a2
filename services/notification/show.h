/* Notifications as their reader may see them. */
#ifndef SERVICES_NOTIFICATION_SHOW_H
#define SERVICES_NOTIFICATION_SHOW_H

#include "base/call.h"
#include "services/notification/notification.rpc.h"
#include "services/notification/notification_rows.rpc.h"

enum { SHOW_ACTORS_FEW = 5, SHOW_ACTORS_MAX = 1000 };

/* The reader's notifications of these ids, in the order asked, without what the reader may not see at this moment:
 * actors who are gone, whom the reader mutes, or whom a block hides; notes by note_service's predicate; chats that
 * the reader has left, muted, or read to the end; requests to follow that are answered. One of which nothing is left is
 * left out, as are those of others. */
SN_CHECKED sn_status show_notifications(struct rpc_call *c, const char *reader, char **ids, size_t n, size_t *n_shown,
                                        Notification__Notification ***shown);
/* The same of rows that were read already, with at most SHOW_ACTORS_MAX actors each. */
SN_CHECKED sn_status show_notification_rows(struct rpc_call *c, const char *reader, NotificationRows__Stored **rows,
                                            size_t n, size_t *n_shown, Notification__Notification ***shown);
/* The same ones, in any order, and not with all their actors: one that is seen is enough to count them, so the
 * rows have only the newest SHOW_ACTORS_FEW of each, and all are looked at only when those are hidden. */
SN_CHECKED sn_status show_for_count(struct rpc_call *c, const char *reader, NotificationRows__Stored **rows, size_t n,
                                    size_t *n_shown, Notification__Notification ***shown);
/* Removes members whom the reader's notifications do not show. */
SN_CHECKED sn_status show_actors(struct rpc_call *c, const char *reader, char **ids, size_t *n);

#endif
