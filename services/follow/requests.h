/* Requests to follow a private account. */
#ifndef SERVICES_FOLLOW_REQUESTS_H
#define SERVICES_FOLLOW_REQUESTS_H

#include "db/db.h"

/* Makes one request by the actor to follow a private account whose privacy had this version when it was read.
 * SN_ABORTED if the account has become public since: the handler runs again and sees that. */
SN_CHECKED sn_status request_follow(struct db_tx *tx, const char *target, int64_t privacy_version);
/* Deletes a request without a follow, if there is one. */
SN_CHECKED sn_status end_request(struct db_tx *tx, const char *requester, const char *target);
/* Turns a request into a follow; *accepted is false if there was none. Under the locks of store_lock. */
SN_CHECKED sn_status accept_request(struct db_tx *tx, const char *requester, const char *target, bool *accepted);

#endif
