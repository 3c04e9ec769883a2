/* E-mail addresses: one spelling for each. */
#ifndef SERVICES_USER_EMAIL_H
#define SERVICES_USER_EMAIL_H

#include "base/call.h"

/* The address as it is kept: its domain in lowercase, and in ASCII as IDNA 2008 spells it (RFC 5890: ada@bücher.example
 * is ada@xn--bcher-kva.example). SN_INVALID_ARGUMENT on the field email when the domain cannot be one. */
SN_CHECKED sn_status email_clean(struct rpc_call *c, const char *given, char **out);
/* What may not be taken twice: without regard to case. Of what is no address the folded text. */
char *email_key(struct arena *arena, const char *email);

#endif
