/* Keys: all secrets derive from one 32-byte key file (HKDF-SHA-256 with a label), so that there is only one thing to
 * protect. */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/status.h"

#define KEYS_TEXT_SIZE 44 /* 32 bytes in base64url, and NUL */

/* Reads the key file (32 bytes in base64url; it must belong to our account, with mode 0600 or stricter). may_create
 * creates it if it is missing: completely or not at all, even if the process is killed. Call it before starting
 * threads. error gets one sentence. */
SN_CHECKED sn_status keys_load(const char *path, int may_create, struct buf *error);
/* Its text, under the same conditions: for a child under another account, which may not read the file. */
SN_CHECKED sn_status keys_read(const char *path, char text[KEYS_TEXT_SIZE], struct buf *error);
/* For tests and tools: sets the master key directly. Not while other threads derive keys. */
void keys_set_master(const uint8_t master[32]);
/* 32 bytes for a purpose: "cursor-siv", "service-token", "access-token-es256", "database:note_service". */
void keys_derive(const char *label, uint8_t out[32]);
/* The same as 43 characters of base64url, for passwords of database roles. */
void keys_derive_text(const char *label, char out[44]);

/* Increases with every master key, so that caches of derived keys can compare it. 0: none is set (deriving then
 * aborts). */
uint64_t keys_generation(void);

#endif
