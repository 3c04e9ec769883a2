/* Cursors as bytes: version, sort key, id, then the first half of an HMAC-SHA-256 over them and over what names the
 * list: method, filter and actor. Nothing is encrypted: the position is of an item that the member was given. */
#include "auth/cursor.h"

#include <sodium.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/keys.h"
#include "base/contract.h"

enum {
        CURSOR_VERSION = 1,
        SORT_KEY_BYTES = 8,
        ID_BYTES = 16,
        MAC_BYTES = 16, /* RFC 2104, 5: no less than half */
        BODY_BYTES = 1 + SORT_KEY_BYTES + ID_BYTES,
        CURSOR_BYTES = BODY_BYTES + MAC_BYTES,
        TEXT_CHARS = BASE64URL_CHARS(CURSOR_BYTES),
};

/* An HMAC that has already taken the key, of each thread: half the work of a cursor is done once. */
static _Thread_local struct {
        uint64_t generation;
        crypto_auth_hmacsha256_state state;
} keyed;

static crypto_auth_hmacsha256_state mac_start(void)
{
        if (keyed.generation != keys_generation() || keyed.generation == 0) {
                uint8_t key[32];
                keys_derive("cursor", key);
                crypto_auth_hmacsha256_init(&keyed.state, key, sizeof(key));
                sodium_memzero(key, sizeof(key));
                keyed.generation = keys_generation();
        }
        return keyed.state;
}

/* With its NUL, so that no text can reach into the next one. */
static void mac_text(crypto_auth_hmacsha256_state *mac, const char *text)
{
        crypto_auth_hmacsha256_update(mac, (const uint8_t *)text, strlen(text) + 1);
}

static void mac_of(const struct rpc_call *c, const char *filter, const uint8_t body[BODY_BYTES], uint8_t out[MAC_BYTES])
{
        uint8_t whole[crypto_auth_hmacsha256_BYTES];
        crypto_auth_hmacsha256_state mac = mac_start();
        crypto_auth_hmacsha256_update(&mac, body, BODY_BYTES);
        mac_text(&mac, c->method != NULL ? c->method->full_name : "");
        mac_text(&mac, filter);
        mac_text(&mac, c->actor);
        crypto_auth_hmacsha256_final(&mac, whole);
        memcpy(out, whole, MAC_BYTES);
}

char *cursor_encode(struct rpc_call *c, const char *filter, const struct cursor *position)
{
        uint8_t bytes[CURSOR_BYTES] = {CURSOR_VERSION};
        uint64_t sort_key = (uint64_t)position->sort_key;
        for (int i = 0; i < SORT_KEY_BYTES; i++) {
                bytes[1 + i] = (uint8_t)(sort_key >> (8 * (SORT_KEY_BYTES - 1 - i)));
        }
        if (!uuid_to_bytes(position->id, bytes + 1 + SORT_KEY_BYTES)) {
                memset(bytes + 1 + SORT_KEY_BYTES, 0, ID_BYTES); /* sorted by the key alone */
        }
        mac_of(c, filter, bytes, bytes + BODY_BYTES);

        char *text = arena_alloc(c->arena, TEXT_CHARS + 1);
        return base64url_encode(bytes, sizeof(bytes), text);
}

static void read_body(const uint8_t body[BODY_BYTES], struct cursor *position)
{
        const uint8_t *id = body + 1 + SORT_KEY_BYTES;
        uint64_t sort_key = 0;
        for (int i = 0; i < SORT_KEY_BYTES; i++) {
                sort_key = sort_key << 8 | body[1 + i];
        }
        position->sort_key = (int64_t)sort_key;
        if (!sodium_is_zero(id, ID_BYTES)) {
                uuid_from_bytes(id, position->id);
        }
}

static bool is_genuine(const struct rpc_call *c, const char *filter, const char *text, uint8_t bytes[CURSOR_BYTES])
{
        uint8_t mac[MAC_BYTES];
        size_t len = 0;
        if (strnlen(text, TEXT_CHARS + 1) != TEXT_CHARS ||
            !base64url_decode((struct str){text, TEXT_CHARS}, bytes, CURSOR_BYTES, &len) || len != CURSOR_BYTES) {
                return false;
        }
        mac_of(c, filter, bytes, mac);
        return sodium_memcmp(mac, bytes + BODY_BYTES, MAC_BYTES) == 0 && bytes[0] == CURSOR_VERSION;
}

sn_status cursor_decode(struct rpc_call *c, const char *filter, const char *text, struct cursor *position)
{
        uint8_t bytes[CURSOR_BYTES];
        *position = (struct cursor){0};
        if (text == NULL || text[0] == '\0') {
                return SN_OK;
        }
        if (!is_genuine(c, filter, text, bytes)) {
                return rpc_fail_code(
                    c, SN_INVALID_ARGUMENT, "cursor_invalid", "cursor",
                    "this cursor is not of this list; use next_cursor as it came, or none to start again");
        }
        read_body(bytes, position);
        return SN_OK;
}
