/* The text formats and patterns that fields may ask for (rpc/validate.c). */
#ifndef RPC_FORMATS_H
#define RPC_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

/* An e-mail address as the HTML standard defines it for forms (a practical subset of RFC 5322): letters, digits and
 * marks, '@', and a domain name of at least two labels, the last of which is no number (RFC 3696); at most 254 bytes,
 * 64 before the '@'. Dots stand anywhere before it, as in some addresses that exist. A domain in other letters than
 * ASCII is taken as well: who keeps it turns it into ASCII (RFC 5891), and looks again. */
bool format_is_email(const char *text, size_t len);
/* Base64url, as auth/cursor.h makes it; whether it is genuine only the list knows. */
bool format_is_cursor(const char *text, size_t len);
/* Matches a pattern of the contract. The pattern is a static string: it is compiled once, and its address names it. Any
 * thread; those that were prepared at start are not compiled while somebody waits. */
void format_prepare(const char *pattern);
bool format_matches(const char *pattern, const char *text);

#endif
