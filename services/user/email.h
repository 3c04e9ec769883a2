/* E-mail addresses: one canonical spelling each. */
#ifndef SERVICES_USER_EMAIL_H
#define SERVICES_USER_EMAIL_H

#include "base/call.h"

/* The address as it is stored: its domain in lowercase, and converted to ASCII by IDNA 2008 (RFC 5890:
 * ada@bücher.example becomes ada@xn--bcher-kva.example). SN_INVALID_ARGUMENT on the field email if the domain is
 * invalid. */
SN_CHECKED sn_status email_clean(struct rpc_call *c, const char *given, char **out);
/* The key for uniqueness, ignoring case. For an invalid address, its folded text. */
char *email_key(struct arena *arena, const char *email);

#endif
