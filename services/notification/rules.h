/* Members' rules for decisions, from their preferences here and their settings in user_service. */
#ifndef SERVICES_NOTIFICATION_RULES_H
#define SERVICES_NOTIFICATION_RULES_H

#include "base/call.h"
#include "services/notification/decide.h"
#include "services/notification/notification_rows.rpc.h"

/* The most members per call, as user.BatchGetSettings accepts. */
#define RULES_MAX   1000
#define DIGEST_HOUR 8 /* default */

/* Loads the rules of members, whose ids are distinct and in ascending order. Calls user_service, so no transaction may
 * be open. */
SN_CHECKED sn_status rules_load(struct rpc_call *c, char **user_ids, size_t n, struct rules **rules);
/* Copies filters, the digest hour and show_content into the rules. */
void rules_take_filters(struct rules *rules, const NotificationRows__Choices *choices);

#endif
