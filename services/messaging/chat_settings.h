/* Settings that are the same for all members of a chat. */
#ifndef SERVICES_MESSAGING_CHAT_SETTINGS_H
#define SERVICES_MESSAGING_CHAT_SETTINGS_H

#include "services/messaging/messaging.h"

/* SN_INVALID_ARGUMENT on title if it is empty, has more than one line, or contains bidirectional controls. */
SN_CHECKED sn_status chat_check_title(struct rpc_call *c, const char *title);

#endif
