/* Shared by the tests of access tokens: a test clock, and tokens with any contents. Signatures are created and verified
 * in another way than in es256.c, so that it is not compared with itself. */
#ifndef AUTH_TEST_TOKEN_TOOLS_H
#define AUTH_TEST_TOKEN_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "auth/token.h"
#include "auth/token_keys.h"

enum { NOW_S = 1790000000 };

extern struct rpc_call *call;
extern _Atomic int64_t wall_s;        /* the time; NOW_S unless a test moves it */
extern EVP_PKEY *own_key, *other_key; /* ours, with its private part; a foreign one */
extern const char *kid;               /* of ours */
extern const struct token_claims claims;

/* base64url without padding, in the call's arena; and back. */
char *encode(const void *bytes, size_t len);
size_t decode(const char *text, size_t chars, uint8_t *out, size_t size);
/* The public key of a JWK. */
EVP_PKEY *key_of(const json_t *jwk);
bool verifies(EVP_PKEY *key, const char *text, size_t len, const uint8_t signature[64]);

char *good_header(void);
/* A valid payload, unless more (",\"name\":value…") makes it invalid. */
char *payload_with(const char *more);
/* Replaces the first `from` in a text. */
char *with(const char *text, const char *from, const char *to);
/* A token with any header and payload, signed with a key. */
char *token_of(const char *header, const char *payload, EVP_PKEY *key);
/* A token as issued to members. */
char *fresh_token(void);
const char *session_of(int i);
/* A key set with the foreign key and more members (",\"name\":value…"). */
char *other_jwks(const char *members);

void view_is_refused(struct str token, const char *code);
void is_refused(const char *token, const char *code);
void is_taken(const char *token);

/* Group setup and teardown. */
int with_keys(void **state);
int without_keys(void **state);

#endif
