/* The names of events and metrics. Others are rejected, since a typo would otherwise return an empty answer. */
#ifndef SERVICES_ANALYTICS_NAMES_H
#define SERVICES_ANALYTICS_NAMES_H

#include "base/call.h"

bool names_has_event(const char *name);
bool names_has_metric(const char *name); /* including events */

/* SN_INVALID_ARGUMENT on field, listing the valid names. */
SN_CHECKED sn_status names_check_event(struct rpc_call *c, const char *field, const char *name);
SN_CHECKED sn_status names_check_metric(struct rpc_call *c, const char *field, const char *name);
/* The same for a list; the field is FIELD[INDEX]. */
SN_CHECKED sn_status names_check_events(struct rpc_call *c, const char *field, char *const *names, size_t n);

#endif
