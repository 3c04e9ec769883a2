/* Strict base64url without padding (RFC 4648, 5): every sequence of bytes has exactly one valid text. */
#ifndef AUTH_BASE64URL_H
#define AUTH_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/str.h"

#define BASE64URL_CHARS(bytes) (((bytes)*4 + 2) / 3)

/* Writes BASE64URL_CHARS(len) characters and a NUL. Returns out. */
char *base64url_encode(const void *bytes, size_t len, char *out);
/* False unless text is the valid encoding of at most size bytes. The empty text encodes no bytes. */
bool base64url_decode(struct str text, void *out, size_t size, size_t *len);

#endif
