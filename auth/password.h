/* Passwords: Argon2id, using libsodium (19 MiB, t = 2, p = 1, as OWASP recommends). Slow by design: use it only in
 * the password lane. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stdbool.h>
#include "base/call.h"

SN_CHECKED sn_status password_hash(struct rpc_call *c, const char *password,
                                   char **hash); /* PHC string, in the call's arena */
/* Whether the hash, which carries its parameters, was made with weaker ones than the current ones: rehash when the
 * password is available. */
bool password_is_outdated(const char *hash);
/* False if the password is wrong. hash "" (no such member) takes the same time and returns false. */
bool password_verify(const char *hash, const char *password);

#endif
