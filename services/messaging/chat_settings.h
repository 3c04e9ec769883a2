/* What is the same for all members of a chat. */
#ifndef SERVICES_MESSAGING_CHAT_SETTINGS_H
#define SERVICES_MESSAGING_CHAT_SETTINGS_H

#include "services/messaging/messaging.h"

/* SN_INVALID_ARGUMENT on title when it is empty, longer than a line, or changes the direction of text. */
SN_CHECKED sn_status chat_check_title(struct rpc_call *c, const char *title);

#endif
