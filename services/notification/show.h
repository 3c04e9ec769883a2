/* Notifications as the reader may see them. */
#ifndef SERVICES_NOTIFICATION_SHOW_H
#define SERVICES_NOTIFICATION_SHOW_H

#include "base/call.h"
#include "services/notification/notification.rpc.h"
#include "services/notification/notification_rows.rpc.h"

enum { SHOW_ACTORS_FEW = 5, SHOW_ACTORS_MAX = 1000 };

/* Loads the reader's notifications with these ids, in the order requested, without what the reader may not see now:
 * actors who are gone, muted by the reader or hidden by a block; notes hidden by note_service; chats that the reader
 * has left, muted or read to the end; follow requests that were answered. Notifications with nothing left to show are
 * left out, as are those of other members. */
SN_CHECKED sn_status show_notifications(struct rpc_call *c, const char *reader, char **ids, size_t n, size_t *n_shown,
                                        Notification__Notification ***shown);
/* The same for rows that were read already, with at most SHOW_ACTORS_MAX actors each. */
SN_CHECKED sn_status show_notification_rows(struct rpc_call *c, const char *reader, NotificationRows__Stored **rows,
                                            size_t n, size_t *n_shown, Notification__Notification ***shown);
/* Adds what of the rows waits on other channels, and for what, before they are shown. */
SN_CHECKED sn_status show_held(struct rpc_call *c, NotificationRows__Stored *const *rows, size_t n);
/* The same ones, in any order, and not with all their actors: one that is seen is enough to count them, so the
 * rows have only the newest SHOW_ACTORS_FEW of each, and all are looked at only when those are hidden. */
SN_CHECKED sn_status show_for_count(struct rpc_call *c, const char *reader, NotificationRows__Stored **rows, size_t n,
                                    size_t *n_shown, Notification__Notification ***shown);
/* Removes members whom notifications may not show to the reader. */
SN_CHECKED sn_status show_actors(struct rpc_call *c, const char *reader, char **ids, size_t *n);

#endif
