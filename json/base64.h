/* Base64 (RFC 4648, section 4), as bytes appear in JSON. */
#ifndef JSON_BASE64_H
#define JSON_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of characters for len bytes, including padding. */
size_t base64_length(size_t len);
void base64_encode(const uint8_t *bytes, size_t len, char *out); /* no NUL */
/* Also accepts the URL-safe alphabet and missing padding; rejects white space and stray bits at the end. out must
 * have room for 3 * ((len + 3) / 4) bytes. */
bool base64_decode(const char *text, size_t len, uint8_t *out, size_t *out_len);

#endif
