/* Delivered: up to which note home timelines are settled, for all readers of this process together. */
#ifndef SERVICES_TIMELINE_DELIVERED_H
#define SERVICES_TIMELINE_DELIVERED_H

#include "base/call.h"

/* An id before which no note is written or delivered any more; "" when it is not known yet. What is read afterwards
 * lacks nothing before it. Gives out. */
char *delivered_settled(char out[UUID_SIZE]);
/* Asks again, unless that was done just now; whether there is a later answer. Never fails: who knows less shows the
 * same. */
bool delivered_ask(struct rpc_call *c);

#endif
