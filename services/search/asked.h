/* What is searched for, for who looks after the network: counted without who asked. */
#ifndef SERVICES_SEARCH_ASKED_H
#define SERVICES_SEARCH_ASKED_H

#include "services/search/find.h"

/* Fewer people than this could be told by what they asked. */
enum { PEOPLE_MIN = 5 };

/* Adds a search that is answered to the caller's history and to the counts, in one transaction, and names it in the
 * answer when enough people have asked the same. */
SN_CHECKED sn_status asked_record(struct rpc_call *c, const struct search *search, int64_t began_us,
                                  Search__SearchPage *out);

#endif
