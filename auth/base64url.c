/* Uses libsodium, which takes constant time for a given length; but 1.0.18 reads the bytes 0x80 to 0xff as '_',
 * which would allow many spellings of one token, so they are rejected first. */
#include "auth/base64url.h"

#include <sodium.h>
#include <stdint.h>

enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

char *base64url_encode(const void *bytes, size_t len, char *out)
{
        return sodium_bin2base64(out, BASE64URL_CHARS(len) + 1, bytes, len, VARIANT);
}

bool base64url_decode(struct str text, void *out, size_t size, size_t *len)
{
        uint8_t seen = 0;
        for (size_t i = 0; i < text.len; i++) {
                seen |= (uint8_t)text.ptr[i];
        }
        return seen < 0x80 && sodium_base642bin(out, size, text.ptr, text.len, NULL, len, NULL, VARIANT) == 0;
}
