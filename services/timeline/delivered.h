/* Up to which note home timelines are settled, for all readers of this process. */
#ifndef SERVICES_TIMELINE_DELIVERED_H
#define SERVICES_TIMELINE_DELIVERED_H

#include "base/call.h"

/* An ID before which no note will be written or delivered any more; "" if unknown. What is read afterwards is
 * complete up to it. Returns out. */
char *delivered_settled(char out[UUID_SIZE]);
/* Queries it again, unless that was done just now; returns whether there is a later answer. Never fails: an older
 * answer is still correct. */
bool delivered_ask(struct rpc_call *c);

#endif
