/* Service tokens: which service is calling which one. HMAC-SHA-256 over caller, audience and expiry, under a key
 * derived from the key file. */
#ifndef AUTH_SERVICE_TOKEN_H
#define AUTH_SERVICE_TOKEN_H

#include "base/call.h"
#include "base/str.h"

/* "note.timeline.1790000000.<mac>" (caller.audience.expiry), valid for 60 s and renewed after 30: cheap enough to
 * call for every call. */
const char *service_token_for(struct arena *arena, const char *caller, const char *audience);
/* The caller's name (in the call's arena), or SN_UNAUTHENTICATED if the token is forged, expired, or intended for
 * another audience. */
SN_CHECKED sn_status service_token_verify(struct rpc_call *c, struct str token, const char *audience,
                                          const char **caller);

#endif
