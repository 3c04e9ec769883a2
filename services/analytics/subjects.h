/* Whether what a request's events are about is there for who sends them. */
#ifndef SERVICES_ANALYTICS_SUBJECTS_H
#define SERVICES_ANALYTICS_SUBJECTS_H

#include "rpc/rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

enum subject {
        SUBJECT_THERE, /* or about nothing, or not known in time */
        SUBJECT_NO_NOTE,
        SUBJECT_NO_EXPERIMENT,
};

/* For each of the events (500 at most). Never fails, and takes a second at most. */
void subjects_check(struct rpc_call *c, AnalyticsRows__TakenEvent *const *events, size_t n, enum subject *out);

#endif
