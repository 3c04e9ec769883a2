/* Events that clients may send: what is declared of them (events.def.h), and one event read from JSON. */
#ifndef SERVICES_ANALYTICS_EVENTS_H
#define SERVICES_ANALYTICS_EVENTS_H

#include "base/call.h"
#include "base/str.h"
#include "services/analytics/analytics_rows.rpc.h"

/* How much of an event is read: what is longer is refused unread. */
#define EVENT_MAX_BYTES 8192
/* How old an event may be that was kept for later, and how far ahead a clock may be. */
#define EVENT_OLDEST_MS INT64_C(604800000)
#define EVENT_AHEAD_MS  INT64_C(300000)

/* One event of a request: into out, which is initialised. SN_INVALID_ARGUMENT with the field and what is wrong with it
 * in c->problem; what it is worth then is id, "" when it has none that is valid. */
SN_CHECKED sn_status event_read(struct rpc_call *c, struct str json, AnalyticsRows__TakenEvent *out);

/* Whether events of this name are taken with a property of that name. */
bool event_has_property(const char *event, const char *property);
/* The same, and it is a number. */
bool event_has_number(const char *event, const char *property);
/* All of these: events, and their properties. How many. */
size_t event_numbers(struct arena *arena, char ***events, char ***properties);

/* The elements of the array `events` of a request, as they stand there; nothing is read of them. SN_INVALID_ARGUMENT
 * when the text has another form, or there are more than max. */
SN_CHECKED sn_status event_split(struct rpc_call *c, struct str text, struct str *items, size_t max, size_t *n);

#endif
