/* Which passwords members may choose (NIST SP 800-63B, 5.1.1.2; OWASP ASVS 5.0, 6.2): 8 to 256 characters of any
 * kind, as the contract says, except those that attackers try first. */
#ifndef SERVICES_USER_PASSWORD_RULES_H
#define SERVICES_USER_PASSWORD_RULES_H

#include "base/call.h"

/* SN_INVALID_ARGUMENT on the field: password_common if it is a word or among the most frequently leaked passwords,
 * ignoring case; password_guessable if it is the member's name or address with at most four characters before or
 * after it. */
SN_CHECKED sn_status password_check(struct rpc_call *c, const char *field, const char *password, const char *username,
                                    const char *email);
/* Whether it is on the list, after folding with text_casefold_nfkc. */
bool password_is_common(const char *folded);

/* The network's name and host, which everyone knows; the texts must outlive all calls. Call it before starting
 * threads. */
void password_rules_start(const char *name, const char *host);

#endif
