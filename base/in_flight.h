/* Writes in flight: when the running calls that may write have started, so that lists know up to where they are
 * settled. IDs are drawn before they are committed: one older than those a reader has seen may appear later, as long
 * as the call that drew it is running. A call whose COMMIT may still take effect never returns: it ends the process. */
#ifndef BASE_IN_FLIGHT_H
#define BASE_IN_FLIGHT_H

#include "base/service.h"
#include "base/uuid.h"

/* One call, from before it draws IDs until its transaction has ended. Allocated on the caller's stack. */
struct in_flight {
        const struct service *service;
        char since[UUID_SIZE]; /* every id that the call draws is larger */
        struct in_flight *next, *previous;
};

void in_flight_begin(struct in_flight *write, const struct service *service);
void in_flight_end(struct in_flight *write);

/* An ID below which the service will not commit anything any more: rows with smaller IDs, read after this call, are
 * complete. For this process only, so for services that run as one active instance. Returns out. */
char *in_flight_settled(const struct service *service, char out[UUID_SIZE]);

#endif
