/* Service tokens: which service calls which one. HMAC-SHA-256 over caller, audience and expiry under a key of the key
 * file. */
#ifndef AUTH_SERVICE_TOKEN_H
#define AUTH_SERVICE_TOKEN_H

#include "base/call.h"
#include "base/str.h"

/* "note.timeline.1790000000.<mac>" (caller.audience.expiry), valid for 60 s and made anew after 30: cheap to ask for
 * every call. */
const char *service_token_for(struct arena *arena, const char *caller, const char *audience);
/* The caller's name (in the call's arena), or SN_UNAUTHENTICATED when forged, expired, or meant for another audience.
 */
SN_CHECKED sn_status service_token_verify(struct rpc_call *c, struct str token, const char *audience,
                                          const char **caller);

#endif
