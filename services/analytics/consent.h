/* Whether a member consents to being counted. */
#ifndef SERVICES_ANALYTICS_CONSENT_H
#define SERVICES_ANALYTICS_CONSENT_H

#include "base/call.h"

/* The calling member's setting privacy.analytics. Calls user_service, so no transaction may be open. */
SN_CHECKED sn_status consent_of_actor(struct rpc_call *c, bool *given);

/* The same for other members: those of ids (at most 1,000) who consent. */
SN_CHECKED sn_status consent_of_members(struct rpc_call *c, char **ids, size_t n, char ***given, size_t *n_given);

#endif
