/* Signatures in addresses of media that are not public: whoever was shown one may fetch it for up to an hour. */
#ifndef SERVICES_MEDIA_SIGNATURE_H
#define SERVICES_MEDIA_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

enum { SIGNATURE_SIZE = 44 }; /* base64url of 32 bytes, and NUL */

/* When an address that is given out now expires, in seconds: in half an hour to an hour, and the same for all that are
 * given out within half an hour, so that browsers keep what they fetched. */
int64_t signature_expiry_s(int64_t now_ms);
void signature_make(const char *media_id, int64_t expires_s, char out[SIGNATURE_SIZE]);
/* In constant time. */
bool signature_holds(const char *media_id, int64_t expires_s, const char *signature, int64_t now_ms);

#endif
