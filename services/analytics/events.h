/* Events that clients may send: their declarations (events.def.h), and parsing one from JSON. */
#ifndef SERVICES_ANALYTICS_EVENTS_H
#define SERVICES_ANALYTICS_EVENTS_H

#include "base/call.h"
#include "base/str.h"
#include "services/analytics/analytics_rows.rpc.h"

/* Longer events are rejected without parsing. */
#define EVENT_MAX_BYTES 8192
/* How old an event may be (a client may have been offline), and how far its clock may be ahead. */
#define EVENT_OLDEST_MS INT64_C(604800000)
#define EVENT_AHEAD_MS  INT64_C(300000)

/* Reads one event of a request into out, which it initialises. SN_INVALID_ARGUMENT with the field and what is wrong
 * with it in c->problem; in that case only out->id is set, to "" unless it is valid. */
SN_CHECKED sn_status event_read(struct rpc_call *c, struct str json, AnalyticsRows__TakenEvent *out);

/* Whether clients may send events of this name. */
bool event_is_declared(const char *name);
/* Whether events of this name have a property of that name. */
bool event_has_property(const char *event, const char *property);
/* The same, and it is a number. */
bool event_has_number(const char *event, const char *property);
/* Lists all number properties with their events. Returns how many there are. */
size_t event_numbers(struct arena *arena, char ***events, char ***properties);

/* The elements of the array `events` of a request as raw JSON, not parsed. SN_INVALID_ARGUMENT if the text has another
 * form, or more than max elements. */
SN_CHECKED sn_status event_split(struct rpc_call *c, struct str text, struct str *items, size_t max, size_t *n);

#endif
