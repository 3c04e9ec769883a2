/* Reads the newest or most engaged of many matches without reading all of them: first those in a window of the index
 * that is likely to contain enough, then in wider ones. The result is the same as without windows. */
#ifndef SERVICES_SEARCH_WINDOWS_H
#define SERVICES_SEARCH_WINDOWS_H

#include "services/search/store.h"
#include "services/search/terms.h"

/* At most WINDOW_SPANS_MAX codes of hours, days and 32 days, as made by search_spans of the schema, that cover the
 * hours from `from` to `to`, both inclusive and counted from 1970. n is 0 if more would be needed. */
enum { WINDOW_SPANS_MAX = 2000 }; /* all hours until the year 2135 */
size_t window_spans(int64_t from, int64_t to, int64_t spans[WINDOW_SPANS_MAX]);

/* Reads the asked->room newest matches of the query, newest first; asked->enough of them if a window had so many and
 * reading the rest would take another one. all: there are no others. After a failure, returns those that were read
 * before it. */
SN_CHECKED sn_status windows_read_newest(struct rpc_call *c, const struct terms *terms, const struct terms_query *query,
                                         const struct candidates_asked *asked, size_t *n, SearchRows__Candidate ***rows,
                                         bool *all);
/* Reads the asked->room most engaged matches, or asked->enough in the same way, most engaged first. popular: only notes
 * with ten or more reactions. */
SN_CHECKED sn_status windows_read_engaged(struct rpc_call *c, const struct terms *terms,
                                          const struct terms_query *query, const struct candidates_asked *asked,
                                          bool popular, size_t *n, SearchRows__Candidate ***rows);
/* Whether a read stopped early, because of the size of what it read: there may be more matches after the last one. */
bool windows_are_cut(SearchRows__Candidate *const *rows, size_t n);

#endif
