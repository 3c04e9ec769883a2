/* Rules: what members chose, from their preferences here and their settings in user_service, as a decision needs it. */
#ifndef SERVICES_NOTIFICATION_RULES_H
#define SERVICES_NOTIFICATION_RULES_H

#include "base/call.h"
#include "services/notification/decide.h"
#include "services/notification/notification_rows.rpc.h"

/* At most; user.BatchGetSettings takes as many. */
#define RULES_MAX   1000
#define DIGEST_HOUR 8 /* by default */

/* One for each member, whose ids are given in ascending order, each once. Asks user_service: never while a transaction
 * is open. */
SN_CHECKED sn_status rules_load(struct rpc_call *c, char **user_ids, size_t n, struct rules **rules);
/* Takes filters, the hour of digests and show_content into the rules. */
void rules_take_filters(struct rules *rules, const NotificationRows__Choices *choices);

#endif
