/* Trust: in a process without user_service, whose access tokens to believe: the public keys, and the sessions that have
 * ended, read from user_service's log of events by position. */
#ifndef CMD_SERVE_TRUST_H
#define CMD_SERVE_TRUST_H

#include "base/service.h"

struct trust;

/* Asks every 400 ms, so that an ended session is refused everywhere within a second. caller: in whose name. */
struct trust *trust_new(struct service *caller);
/* True once keys and ended sessions are known. */
bool trust_ready(const struct trust *trust);
void trust_free(struct trust *trust); /* takes NULL */

#endif
