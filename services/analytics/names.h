/* The names that there are of events and metrics: any other is refused, or a slip of the pen would be answered with
 * nothing. */
#ifndef SERVICES_ANALYTICS_NAMES_H
#define SERVICES_ANALYTICS_NAMES_H

#include "base/call.h"

bool names_has_event(const char *name);
bool names_has_metric(const char *name); /* events, too */

/* SN_INVALID_ARGUMENT on field, with the names that there are. */
SN_CHECKED sn_status names_check_event(struct rpc_call *c, const char *field, const char *name);
SN_CHECKED sn_status names_check_metric(struct rpc_call *c, const char *field, const char *name);
/* Of a list: the field is FIELD[INDEX]. */
SN_CHECKED sn_status names_check_events(struct rpc_call *c, const char *field, char *const *names, size_t n);

#endif
