/* The text formats and patterns that contracts may require of fields (rpc/validate.c). */
#ifndef RPC_FORMATS_H
#define RPC_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

/* An e-mail address as the HTML standard defines it for forms (a practical subset of RFC 5322): letters, digits and
 * punctuation, '@', and a domain name of at least two labels, the last of which is not numeric (RFC 3696); at most
 * 254 bytes, 64 of them before the '@'. Dots may be anywhere before it, as in some real addresses. Non-ASCII domains
 * are accepted: the caller must convert them to ASCII (RFC 5891) and check again. */
bool format_is_email(const char *text, size_t len);
/* Base64url, as made by auth/cursor.h; only the list can verify it. */
bool format_is_cursor(const char *text, size_t len);
/* Matches a pattern of the contract. The pattern must be a static string: it is compiled once and identified by its
 * address. Any thread. format_prepare compiles it at start, so that no request has to wait for that. */
void format_prepare(const char *pattern);
bool format_matches(const char *pattern, const char *text);

#endif
