/* Trust: which access tokens a process believes: user_service's public keys, asked for once a minute, and the sessions
 * and epochs that have ended, from its log of events: by Redis within milliseconds, and by the log itself where Redis
 * is away. The process of user_service follows it as well: `sonet admin` ends sessions from outside. */
#ifndef CMD_SERVE_TRUST_H
#define CMD_SERVE_TRUST_H

#include "base/service.h"

struct trust;

/* What has ended is refused everywhere within a second. caller: in whose name it asks, and whose Redis it reads. */
struct trust *trust_new(struct service *caller);
/* True once the keys, and all that had ended until now, are known. */
bool trust_ready(const struct trust *trust);
void trust_free(struct trust *trust); /* takes NULL */

#endif
