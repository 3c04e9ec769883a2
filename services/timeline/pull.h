/* Notes of the members whom a reader follows, from note_service: exact at any depth. */
#ifndef SERVICES_TIMELINE_PULL_H
#define SERVICES_TIMELINE_PULL_H

#include "services/timeline/refs.h"

/* Beyond the scan's position. *version: of the reader's relationships that it reflects; 0 without any. */
SN_CHECKED sn_status pull_followed(struct rpc_call *c, const char *reader, bool without_muted,
                                   const struct page_scan *scan, struct refs *out, int64_t *version);

#endif
