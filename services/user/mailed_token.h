/* What is mailed to members to prove that they can read it: a link's token of 256 bits, and a six-digit code to
 * enter. The database only has hashes keyed with the key file: otherwise codes could be found by trying all. */
#ifndef SERVICES_USER_MAILED_TOKEN_H
#define SERVICES_USER_MAILED_TOKEN_H

#include <stdint.h>
#include "base/arena.h"

#define MAILED_HASH_BYTES 32
#define MAILED_CODE_SIZE  7

char *mailed_token_new(struct arena *arena);
void mailed_token_hash(const char *token, uint8_t hash[MAILED_HASH_BYTES]);

void mailed_code_new(char code[MAILED_CODE_SIZE]);
/* Bound to one member and one address. White space in the code is ignored. */
void mailed_code_hash(const char *user_id, const char *email_key, const char *code, uint8_t hash[MAILED_HASH_BYTES]);

#endif
