/* Whether a member consents to being counted. */
#ifndef SERVICES_ANALYTICS_CONSENT_H
#define SERVICES_ANALYTICS_CONSENT_H

#include "base/call.h"

/* The calling member's setting privacy.analytics. Asks user_service: never while a transaction is open. */
SN_CHECKED sn_status consent_of_actor(struct rpc_call *c, bool *given);

/* The same of members, whoever calls: those of ids (at most 1,000) who consent. */
SN_CHECKED sn_status consent_of_members(struct rpc_call *c, char **ids, size_t n, char ***given, size_t *n_given);

#endif
