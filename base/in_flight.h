/* Writes in flight: since when calls that may write have been running, so that lists can say up to where they are
 * settled. Ids are drawn before they are committed: one that is older than what a reader has seen may appear later,
 * as long as the call that drew it runs. A call whose COMMIT may still land never returns: it ends the process. */
#ifndef BASE_IN_FLIGHT_H
#define BASE_IN_FLIGHT_H

#include "base/service.h"
#include "base/uuid.h"

/* One call, from before it draws anything until its transaction has ended. It is on the caller's stack. */
struct in_flight {
        const struct service *service;
        char since[UUID_SIZE]; /* every id that the call draws is larger */
        struct in_flight *next, *previous;
};

void in_flight_begin(struct in_flight *write, const struct service *service);
void in_flight_end(struct in_flight *write);

/* An id before which the service commits nothing any more: read rows after asking, and of those with smaller ids none
 * is missing. Of this process alone: for services that run as one active instance. Gives out. */
char *in_flight_settled(const struct service *service, char out[UUID_SIZE]);

#endif
