/* Base64url without padding (RFC 4648, 5), strictly: one text for each sequence of bytes, nothing else. */
#ifndef AUTH_BASE64URL_H
#define AUTH_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/str.h"

#define BASE64URL_CHARS(bytes) (((bytes)*4 + 2) / 3)

/* Writes BASE64URL_CHARS(len) characters and NUL. Gives out. */
char *base64url_encode(const void *bytes, size_t len, char *out);
/* False for anything but the one text of some bytes, at most size of them. The empty text gives none. */
bool base64url_decode(struct str text, void *out, size_t size, size_t *len);

#endif
