/* Passwords: Argon2id by libsodium (19 MiB, t = 2, p = 1: OWASP's recommendation). Slow by design: only in the password
 * lane. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stdbool.h>
#include "base/call.h"

SN_CHECKED sn_status password_hash(struct rpc_call *c, const char *password,
                                   char **hash); /* PHC string, in the call's arena */
/* Whether the hash was made with weaker parameters, which it carries, than new ones are: to be made anew when the
 * password is at hand. */
bool password_is_outdated(const char *hash);
/* False for a wrong password. hash "" (no such member) takes the same time and is false. */
bool password_verify(const char *hash, const char *password);

#endif
