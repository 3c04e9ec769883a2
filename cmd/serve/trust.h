/* Trust: which access tokens a process accepts: user_service's public keys, fetched once a minute, and the sessions
 * and epochs that have ended, from its event log: through Redis within milliseconds, or from the log itself if Redis
 * is unreachable. The process of user_service follows it as well, since `sonet admin` ends sessions from outside. */
#ifndef CMD_SERVE_TRUST_H
#define CMD_SERVE_TRUST_H

#include "base/service.h"

struct trust;

/* A revocation takes effect everywhere within a second. caller: on whose behalf it calls, and whose Redis it reads. */
struct trust *trust_new(struct service *caller);
/* True once the keys, and everything invalid at the start, are known. */
bool trust_ready(const struct trust *trust);
void trust_free(struct trust *trust); /* takes NULL */

#endif
