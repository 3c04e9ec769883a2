/* Statistics on searches for administrators, which do not say who searched. */
#ifndef SERVICES_SEARCH_ASKED_H
#define SERVICES_SEARCH_ASKED_H

#include "services/search/find.h"

/* Fewer people than this might be identified by their queries. */
enum { PEOPLE_MIN = 5 };

/* Adds an answered search to the caller's history and to the counts, in one transaction. Sets its id in the answer if
 * enough people have searched for the same. */
SN_CHECKED sn_status asked_record(struct rpc_call *c, const struct search *search, int64_t began_us,
                                  Search__SearchPage *out);

#endif
