/* Keys: everything secret derives from one 32-byte key file (HKDF-SHA-256 with a label), so that there is one thing to
 * guard. */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/status.h"

#define KEYS_TEXT_SIZE 44 /* 32 bytes in base64url, and NUL */

/* Reads the key file (base64url of 32 bytes, of the account that we are and mode 0600 or stricter, refused otherwise);
 * may_create makes it when it is missing: whole or not at all, whatever kills the process. Before any thread is
 * started. error gets one sentence. */
SN_CHECKED sn_status keys_load(const char *path, int may_create, struct buf *error);
/* Its text, under the same conditions: for a child of another account, which may not read the file. */
SN_CHECKED sn_status keys_read(const char *path, char text[KEYS_TEXT_SIZE], struct buf *error);
/* Tests and tools: sets the master key directly. Not while other threads derive. */
void keys_set_master(const uint8_t master[32]);
/* 32 bytes for a purpose: "cursor-siv", "service-token", "access-token-es256", "database:note_service". */
void keys_derive(const char *label, uint8_t out[32]);
/* The same as 43 characters of base64url, for passwords of roles. */
void keys_derive_text(const char *label, char out[44]);

/* Grows with every master key: who keeps what it derived compares. 0: none is set (deriving then aborts). */
uint64_t keys_generation(void);

#endif
