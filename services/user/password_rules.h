/* Which passwords members may choose (NIST SP 800-63B, 5.1.1.2; OWASP ASVS 5.0, 6.2): 8 to 256 characters, which the
 * contract says, of any kind, and none that would be tried first. */
#ifndef SERVICES_USER_PASSWORD_RULES_H
#define SERVICES_USER_PASSWORD_RULES_H

#include "base/call.h"

/* SN_INVALID_ARGUMENT on the field: password_common, when it is a word or among the passwords that leaked most often,
 * in any case; password_guessable, when it is the member's name or address, with four characters before or behind at
 * most. */
SN_CHECKED sn_status password_check(struct rpc_call *c, const char *field, const char *password, const char *username,
                                    const char *email);
/* Whether the list has it, folded as text_casefold_nfkc does. */
bool password_is_common(const char *folded);

/* What this network is called and where it is, which everybody knows; both stay the caller's. Before any thread is
 * started. */
void password_rules_start(const char *name, const char *host);

#endif
