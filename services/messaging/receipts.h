/* Receipts: how far other members have read and received. */
#ifndef SERVICES_MESSAGING_RECEIPTS_H
#define SERVICES_MESSAGING_RECEIPTS_H

#include "services/messaging/messaging.h"
#include "services/user/user.rpc.h"

/* Removes from another member's receipt what the viewer does not disclose about themselves. */
void receipts_hide(const User__PrivacySettings *viewer, Messaging__Receipt *receipt);

#endif
