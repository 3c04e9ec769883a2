/* Statistics on searches for administrators, which do not say who searched. */
#ifndef SERVICES_SEARCH_ASKED_H
#define SERVICES_SEARCH_ASKED_H

#include "services/search/find.h"

/* What histories and suggestions compare queries by, as understood: without case, width and accents. OR stays, since
 * "or" is a word. */
const char *asked_key(struct arena *arena, const char *query);
/* Adds an answered search to the caller's history and to the counts, in one transaction. Sets its id in the answer if
 * enough people have searched for the same. */
SN_CHECKED sn_status asked_record(struct rpc_call *c, const struct search *search, int64_t began_us,
                                  Search__SearchPage *out);

#endif
