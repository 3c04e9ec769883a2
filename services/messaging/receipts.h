/* What one is shown of how far the others have come. */
#ifndef SERVICES_MESSAGING_RECEIPTS_H
#define SERVICES_MESSAGING_RECEIPTS_H

#include "services/messaging/messaging.h"
#include "services/user/user.rpc.h"

/* Takes out of another's receipt what its viewer does not tell of themselves. */
void receipts_hide(const User__PrivacySettings *viewer, Messaging__Receipt *receipt);

#endif
