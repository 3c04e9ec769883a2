/* Pseudonyms of visitors without an account, which change every day. */
#ifndef SERVICES_ANALYTICS_VISITOR_H
#define SERVICES_ANALYTICS_VISITOR_H

#include "base/call.h"

/* A UUID derived from the caller's address, user agent and today's salt. SN_UNAVAILABLE when this process does not
 * have the salt and the database is unreachable. */
SN_CHECKED sn_status visitor_of_today(struct rpc_call *c, char **visitor);

/* A UTC day in Unix time. */
#define DAY_MS     INT64_C(86400000)
#define day_of(ms) ((ms) / DAY_MS)

#endif
