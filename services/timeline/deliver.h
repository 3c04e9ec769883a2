/* What deliveries tell the recovery (recover.c). */
#ifndef SERVICES_TIMELINE_DELIVER_H
#define SERVICES_TIMELINE_DELIVER_H

#include <stdbool.h>

/* True when Redis missed a delivery since the last call that answered true: the sets lie, and must go. */
bool deliver_missed(void);
void deliver_set_missed(void);

#endif
