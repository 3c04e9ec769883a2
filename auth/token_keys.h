/* The keys of access tokens: the signer's, derived from the key file, and all trusted public keys. Private to auth/. */
#ifndef AUTH_TOKEN_KEYS_H
#define AUTH_TOKEN_KEYS_H

#include <openssl/evp.h>
#include <stdbool.h>
#include "auth/token_parse.h"

struct token_key {
        char kid[TOKEN_KID_SIZE]; /* RFC 7638 thumbprint */
        EVP_PKEY *key;
        bool signs; /* our own, with its private part */
};

/* NULL if no such key is trusted. Keys are never removed. */
const struct token_key *token_key_find(const char *kid);
/* NULL before token_signer_setup. */
const struct token_key *token_key_signer(void);

#endif
