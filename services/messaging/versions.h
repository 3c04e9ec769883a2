/* Which version of a message a member may read: the newest one, and for a former member the one of when they left.
 * */
#ifndef SERVICES_MESSAGING_VERSIONS_H
#define SERVICES_MESSAGING_VERSIONS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* The number of the last edit that they may see. */
int64_t versions_end(const chat_member *member);
/* Puts copies in place of the entries of which members[i] (may be NULL) may read an older version. */
SN_CHECKED sn_status versions_choose(struct db_tx *tx, const chat_member *const *members, chat_entry **entries,
                                     size_t n);

#endif
