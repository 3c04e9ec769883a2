/* Signed links: whoever has one may fetch what it names until it expires. Nothing is stored. */
#ifndef AUTH_SIGNED_LINK_H
#define AUTH_SIGNED_LINK_H

#include <stdbool.h>
#include <stdint.h>

enum { LINK_SIGNATURE_SIZE = 44 }; /* base64url of 32 bytes, and NUL */

/* id: at most 80 bytes. purpose: the kind of link ("media-url"); a signature is not valid for other purposes.
 * expires_s: seconds since 1970. */
void link_sign(const char *purpose, const char *id, int64_t expires_s, char out[LINK_SIGNATURE_SIZE]);
/* In constant time. */
bool link_holds(const char *purpose, const char *id, int64_t expires_s, const char *signature, int64_t now_ms);

#endif
