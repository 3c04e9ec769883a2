/* The newest and the most engaged of many matches, without reading all of them: first those in a window of the index
 * that is likely to have enough, then in wider ones, then the rest. What is returned is the same as without windows. */
#ifndef SERVICES_SEARCH_WINDOWS_H
#define SERVICES_SEARCH_WINDOWS_H

#include "services/search/store.h"
#include "services/search/terms.h"

/* At most WINDOW_SPANS_MAX codes of hours, days and 32 days, as search_spans of the schema makes them, that cover the
 * hours from `from` to `to`, both inclusive and counted from 1970; n is 0 when more would be needed. */
enum { WINDOW_SPANS_MAX = 160 };
size_t window_spans(int64_t from, int64_t to, int64_t spans[WINDOW_SPANS_MAX]);

/* asked->room of the newest matches of the query, the newest first. After a failure, those that were read before it. */
SN_CHECKED sn_status windows_read_newest(struct rpc_call *c, const struct terms *terms, const struct terms_query *query,
                                         const struct candidates_asked *asked, size_t *n,
                                         SearchRows__Candidate ***rows);
/* asked->room of the most engaged ones, the most engaged first; popular: only of those to which ten or more reacted. */
SN_CHECKED sn_status windows_read_engaged(struct rpc_call *c, const struct terms *terms,
                                          const struct terms_query *query, const struct candidates_asked *asked,
                                          bool popular, size_t *n, SearchRows__Candidate ***rows);

#endif
