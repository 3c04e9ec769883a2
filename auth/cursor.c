/* Cursors as bytes: a synthetic initialisation vector followed by the encrypted version, sort key, ID, start and
 * fingerprints.
 *
 * The vector is a keyed BLAKE2b over the plain text and over what identifies the list: method, filter and actor. It
 * is the nonce of XChaCha20 and, recomputed after decryption, the authentication tag: the construction of RFC 5297
 * (SIV) with these two primitives. It needs no randomness, so an unchanged page has the same bytes again. */
#include "auth/cursor.h"

#include <sodium.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/keys.h"
#include "base/contract.h"

enum {
        CURSOR_VERSION = 3,
        SIV_BYTES = crypto_stream_xchacha20_NONCEBYTES,
        KEY_BYTES = 32,
        NUMBER_BYTES = 8,
        PRINT_BYTES = CURSOR_PRINT_BITS / 8,
        ID_BYTES = 16,
        POSITION_BYTES = 1 + NUMBER_BYTES + ID_BYTES + NUMBER_BYTES,
        PLAIN_BYTES_MAX = POSITION_BYTES + CURSOR_SEEN_MAX * PRINT_BYTES,
        CURSOR_BYTES_MAX = SIV_BYTES + PLAIN_BYTES_MAX,
        TEXT_CHARS_MAX = BASE64URL_CHARS(CURSOR_BYTES_MAX),
};

/* Per thread, derived once: the hash state that has already absorbed its key, and the key of the cipher. */
static _Thread_local struct {
        uint64_t generation;
        crypto_generichash_state hash;
        uint8_t cipher_key[crypto_stream_xchacha20_KEYBYTES];
} keyed;

static void derive_keys(void)
{
        if (keyed.generation != keys_generation() || keyed.generation == 0) {
                uint8_t key[KEY_BYTES];

                keys_derive("cursor-siv", key);
                crypto_generichash_init(&keyed.hash, key, sizeof(key), SIV_BYTES);
                sodium_memzero(key, sizeof(key));
                keys_derive("cursor-cipher", keyed.cipher_key);
                keyed.generation = keys_generation();
        }
}

/* Including its NUL, so that one text cannot run into the next one. */
static void hash_text(crypto_generichash_state *hash, const char *text)
{
        crypto_generichash_update(hash, (const uint8_t *)text, strlen(text) + 1);
}

static void siv_of(const struct rpc_call *c, const char *filter, const uint8_t *plain, size_t len,
                   uint8_t out[SIV_BYTES])
{
        derive_keys();
        crypto_generichash_state hash = keyed.hash;
        hash_text(&hash, c->method != NULL ? c->method->full_name : "");
        hash_text(&hash, filter);
        hash_text(&hash, c->actor);
        crypto_generichash_update(&hash, plain, len);
        crypto_generichash_final(&hash, out, SIV_BYTES);
}

static void write_number(uint64_t value, uint8_t *out, int bytes)
{
        for (int i = 0; i < bytes; i++) {
                out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
        }
}

static uint64_t read_number(const uint8_t *in, int bytes)
{
        uint64_t value = 0;

        for (int i = 0; i < bytes; i++) {
                value = value << 8 | in[i];
        }
        return value;
}

static size_t write_plain(const struct cursor *cursor, uint8_t plain[PLAIN_BYTES_MAX])
{
        plain[0] = CURSOR_VERSION;
        write_number((uint64_t)cursor->at.sort_key, plain + 1, NUMBER_BYTES);
        if (!uuid_to_bytes(cursor->at.id, plain + 1 + NUMBER_BYTES)) {
                memset(plain + 1 + NUMBER_BYTES, 0, ID_BYTES);
        }
        write_number(cursor->began, plain + 1 + NUMBER_BYTES + ID_BYTES, NUMBER_BYTES);
        for (size_t i = 0; i < cursor->n_seen; i++) {
                write_number(cursor->seen[i], plain + POSITION_BYTES + i * PRINT_BYTES, PRINT_BYTES);
        }
        return POSITION_BYTES + cursor->n_seen * PRINT_BYTES;
}

static void read_plain(const uint8_t *plain, size_t len, struct cursor *cursor)
{
        cursor->at.sort_key = (int64_t)read_number(plain + 1, NUMBER_BYTES);
        if (!sodium_is_zero(plain + 1 + NUMBER_BYTES, ID_BYTES)) {
                uuid_from_bytes(plain + 1 + NUMBER_BYTES, cursor->at.id);
        }
        cursor->began = read_number(plain + 1 + NUMBER_BYTES + ID_BYTES, NUMBER_BYTES);
        cursor->n_seen = (len - POSITION_BYTES) / PRINT_BYTES;
        for (size_t i = 0; i < cursor->n_seen; i++) {
                cursor->seen[i] = read_number(plain + POSITION_BYTES + i * PRINT_BYTES, PRINT_BYTES);
        }
}

char *cursor_encode(struct rpc_call *c, const char *filter, const struct cursor *cursor)
{
        uint8_t bytes[CURSOR_BYTES_MAX], plain[PLAIN_BYTES_MAX];
        size_t len = write_plain(cursor, plain);

        siv_of(c, filter, plain, len, bytes);
        crypto_stream_xchacha20_xor(bytes + SIV_BYTES, plain, len, bytes, keyed.cipher_key);

        char *text = arena_alloc(c->arena, BASE64URL_CHARS(SIV_BYTES + len) + 1);
        return base64url_encode(bytes, SIV_BYTES + len, text);
}

/* The plain bytes and their number; 0 if they are not authentic. */
static size_t open_text(const struct rpc_call *c, const char *filter, const char *text, uint8_t plain[PLAIN_BYTES_MAX])
{
        uint8_t bytes[CURSOR_BYTES_MAX], siv[SIV_BYTES];
        size_t chars = strnlen(text, TEXT_CHARS_MAX + 1), len = 0;

        if (chars > TEXT_CHARS_MAX || !base64url_decode((struct str){text, chars}, bytes, sizeof(bytes), &len) ||
            len < SIV_BYTES + POSITION_BYTES || (len - SIV_BYTES - POSITION_BYTES) % PRINT_BYTES != 0) {
                return 0;
        }
        len -= SIV_BYTES;
        derive_keys();
        crypto_stream_xchacha20_xor(plain, bytes + SIV_BYTES, len, bytes, keyed.cipher_key);
        siv_of(c, filter, plain, len, siv);
        return sodium_memcmp(siv, bytes, SIV_BYTES) == 0 && plain[0] == CURSOR_VERSION ? len : 0;
}

sn_status cursor_decode(struct rpc_call *c, const char *filter, const char *field, const char *text,
                        struct cursor *cursor)
{
        uint8_t plain[PLAIN_BYTES_MAX];

        *cursor = (struct cursor){0};
        if (text == NULL || text[0] == '\0') {
                return SN_OK;
        }
        size_t len = open_text(c, filter, text, plain);
        if (len == 0) {
                return rpc_fail_code(
                    c, SN_INVALID_ARGUMENT, "cursor_invalid", field,
                    "this cursor does not belong to this list; use one from an answer of this list, or none to start "
                    "again");
        }
        read_plain(plain, len, cursor);
        return SN_OK;
}
