/* The durable tail of a home timeline: the newest notes of those whom its owner follows. */
#ifndef SERVICES_TIMELINE_TAIL_H
#define SERVICES_TIMELINE_TAIL_H

#include "services/timeline/refs.h"
#include "services/timeline/timeline_rows.rpc.h"

/* Builds the tail if there is none, adds newly followed members, and records that it is read. state is as it is
 * then. */
SN_CHECKED sn_status tail_ensure(struct rpc_call *c, const char *owner, TimelineRows__State *state);
/* Entries beyond the scan's position, as far as the tail is complete; *whole: everything that the scan asks for;
 * *complete: everything there is. */
SN_CHECKED sn_status tail_entries(struct rpc_call *c, const char *owner, const struct page_scan *scan, struct refs *out,
                                  bool *whole, bool *complete);
/* What the tail does not cover, directly from note_service, at any depth, by members whom the owner follows and does
 * not mute. */
SN_CHECKED sn_status tail_pull(struct rpc_call *c, const char *owner, const struct page_scan *scan, struct refs *out);

#endif
