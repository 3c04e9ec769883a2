/* Requests to follow a private account. */
#ifndef SERVICES_FOLLOW_REQUESTS_H
#define SERVICES_FOLLOW_REQUESTS_H

#include "db/db.h"

/* Asks for the actor to follow a private account whose privacy had this version when it was looked at. Once. When the
 * account has opened since, SN_ABORTED: the handler runs again and finds it open. */
SN_CHECKED sn_status request_follow(struct db_tx *tx, const char *target, int64_t privacy_version);
/* The end of a request without a follow, when there is one. */
SN_CHECKED sn_status end_request(struct db_tx *tx, const char *requester, const char *target);
/* A request becomes a follow; *accepted is false when there was none. Under the locks of store_lock. */
SN_CHECKED sn_status accept_request(struct db_tx *tx, const char *requester, const char *target, bool *accepted);

#endif
