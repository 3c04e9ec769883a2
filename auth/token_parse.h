/* Parses header and payload of an access token strictly, and writes payloads. Does not deal with signatures. Private
 * to auth/. */
#ifndef AUTH_TOKEN_PARSE_H
#define AUTH_TOKEN_PARSE_H

#include <stddef.h>
#include <stdint.h>
#include "auth/token.h"

#define TOKEN_KID_SIZE 44 /* a SHA-256 in base64url, and NUL */

enum token_fault {
        TOKEN_GOOD,
        TOKEN_MALFORMED,
        TOKEN_ALGORITHM,
        TOKEN_KEY,
        TOKEN_SIGNATURE,
        TOKEN_CLAIMS,
        TOKEN_NOT_YET_VALID,
        TOKEN_EXPIRED,
        TOKEN_REVOKED,
        TOKEN_OUTDATED,
};

/* Accepts exactly alg "ES256", typ "at+jwt" and a kid, each once. */
enum token_fault token_parse_header(const char *json, size_t len, char kid[TOKEN_KID_SIZE]);
/* Checks iss, aud, nbf and exp against the clock, and reads the other claims. Unknown claims are ignored (RFC 7519,
 * 4). */
enum token_fault token_parse_payload(const char *json, size_t len, int64_t now_s, struct token_claims *claims);
/* The payload of claims, issued now, with its mark. NULL if they are malformed, which is a bug in the caller. */
char *token_write_payload(struct arena *arena, const struct token_claims *claims, int64_t now_s);

#endif
