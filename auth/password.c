/* Argon2id, using libsodium. Passwords are normalised to NFC (RFC 8265, OpaqueString), so that the same password
 * typed on two systems is equal: some send "é" as one character, some as two. */
#include "auth/password.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <utf8proc.h>
#include "base/no_wait.h"

enum {
        OPERATIONS = 2,
        MEMORY_BYTES = 19 * 1024 * 1024,
        MAX_CODE_POINTS =
            1024, /* the contract allows 256, each of at most four code points when decomposed, and of four bytes */
};

/* A password in the form that is hashed. Wiped after use. */
struct prepared {
        utf8proc_int32_t points[MAX_CODE_POINTS + 1]; /* utf8proc encodes in place */
        const char *text;
        size_t len;
};

static void prepare_password(const char *password, struct prepared *out)
{
        const utf8proc_option_t nfc = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
        out->text = password;
        out->len = strlen(password);
        if (out->len > MAX_CODE_POINTS) {
                return; /* cannot come from outside: the contract limits it */
        }
        utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)password, (utf8proc_ssize_t)out->len,
                                                out->points, MAX_CODE_POINTS, nfc);
        if (n < 0 || n > MAX_CODE_POINTS) {
                return; /* not UTF-8: hashed as it is */
        }
        n = utf8proc_reencode(out->points, n, nfc);
        if (n >= 0) {
                out->text = (const char *)out->points;
                out->len = (size_t)n;
        }
}

static void wipe_p(struct prepared *p)
{
        sodium_memzero(p, sizeof(*p));
}

sn_status password_hash(struct rpc_call *c, const char *password, char **hash)
{
        NO_WAIT_ASSERT();
        CLEANUP(wipe_p) struct prepared p;
        *hash = arena_alloc(c->arena, crypto_pwhash_STRBYTES);
        prepare_password(password, &p);
        if (sodium_init() < 0 ||
            crypto_pwhash_str_alg(*hash, p.text, p.len, OPERATIONS, MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13) != 0) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the server is out of memory; please try again");
        }
        return SN_OK;
}

/* Does the same work as a comparison, without a result, so that the time does not reveal whether a name exists. */
static bool verify_nobody(const struct prepared *p)
{
        static const uint8_t salt[crypto_pwhash_SALTBYTES] = "nobody";
        uint8_t key[32];
        int done = crypto_pwhash(key, sizeof(key), p->text, p->len, salt, OPERATIONS, MEMORY_BYTES,
                                 crypto_pwhash_ALG_ARGON2ID13);
        (void)done; /* out of memory: the result is the same */
        sodium_memzero(key, sizeof(key));
        return false;
}

bool password_is_outdated(const char *hash)
{
        return crypto_pwhash_str_needs_rehash(hash, OPERATIONS, MEMORY_BYTES) != 0;
}

bool password_verify(const char *hash, const char *password)
{
        NO_WAIT_ASSERT();
        CLEANUP(wipe_p) struct prepared p;
        if (sodium_init() < 0) {
                return false;
        }
        prepare_password(password, &p);
        if (hash[0] == '\0' || strnlen(hash, crypto_pwhash_STRBYTES) >= crypto_pwhash_STRBYTES) {
                return verify_nobody(&p);
        }
        return crypto_pwhash_str_verify(hash, p.text, p.len) == 0;
}
