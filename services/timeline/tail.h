/* The durable tail of a home timeline: the newest notes of those whom its owner follows. */
#ifndef SERVICES_TIMELINE_TAIL_H
#define SERVICES_TIMELINE_TAIL_H

#include "services/timeline/refs.h"
#include "services/timeline/timeline_rows.rpc.h"

/* Builds the tail when there is none, brings it up to whom the owner follows, and notes that it is read. state is as it
 * then is. */
SN_CHECKED sn_status tail_ensure(struct rpc_call *c, const char *owner, TimelineRows__State *state);
/* Beyond the scan's position, as far as the tail has all; *whole: it has all that the scan asks for; *complete: it has
 * all there are. */
SN_CHECKED sn_status tail_entries(struct rpc_call *c, const char *owner, const struct page_scan *scan, struct refs *out,
                                  bool *whole, bool *complete);
/* Straight from note_service, at any depth, of whom the owner follows and does not mute: what the tail does not reach.
 */
SN_CHECKED sn_status tail_pull(struct rpc_call *c, const char *owner, const struct page_scan *scan, struct refs *out);

#endif
