/* Checks whether the notes and experiments that a request's events refer to are visible to its sender. */
#ifndef SERVICES_ANALYTICS_SUBJECTS_H
#define SERVICES_ANALYTICS_SUBJECTS_H

#include "rpc/rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

enum subject {
        SUBJECT_THERE, /* or the event refers to nothing, or the answer did not come in time */
        SUBJECT_NO_NOTE,
        SUBJECT_NO_EXPERIMENT,
};

/* Checks each event (at most 500). Never fails, and takes at most a second. */
void subjects_check(struct rpc_call *c, AnalyticsRows__TakenEvent *const *events, size_t n, enum subject *out);

#endif
