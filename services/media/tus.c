/* Owns parsing the headers of tus 1.0 that are more than numbers. */
#include "services/media/tus.h"

#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "json/base64.h"

enum { PARTS_MAX = 64, READ_BYTES = 1 << 16, DIGEST_TEXT_MAX = 64 };

sn_status tus_check_version(struct rpc_call *c, const char *version)
{
        return strcmp(version, "1.0.0") == 0 ? SN_OK
                                             : rpc_fail_code(c, SN_FAILED_PRECONDITION, "tus_version", "version",
                                                             "this server speaks tus 1.0.0: send Tus-Resumable: 1.0.0");
}

/* --- checksums --- */

static const EVP_MD *algorithm_of(struct str name)
{
        if (str_equal(name, STR("sha1"))) {
                return EVP_sha1();
        }
        return str_equal(name, STR("sha256")) ? EVP_sha256() : NULL;
}

static bool digest_file(int fd, const EVP_MD *algorithm, uint8_t digest[EVP_MAX_MD_SIZE], unsigned *len)
{
        uint8_t bytes[READ_BYTES];
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        bool ok = hash != NULL && EVP_DigestInit_ex(hash, algorithm, NULL) == 1;
        ssize_t n = 0;

        for (off_t at = 0; ok && (n = pread(fd, bytes, sizeof(bytes), at)) > 0; at += n) {
                ok = EVP_DigestUpdate(hash, bytes, (size_t)n) == 1;
        }
        ok = ok && n == 0 && EVP_DigestFinal_ex(hash, digest, len) == 1;
        EVP_MD_CTX_free(hash);
        return ok;
}

static bool digest_body(const struct rpc_body *body, const EVP_MD *algorithm, uint8_t digest[EVP_MAX_MD_SIZE],
                        unsigned *len)
{
        if (algorithm != EVP_sha256()) {
                return digest_file(body->fd, algorithm, digest, len);
        }
        *len = sizeof(body->sha256);
        memcpy(digest, body->sha256, sizeof(body->sha256));
        return true;
}

sn_status tus_check_body(struct rpc_call *c, const char *checksum)
{
        struct str rest = str_of(checksum), name;
        uint8_t said[DIGEST_TEXT_MAX], is[EVP_MAX_MD_SIZE];
        size_t said_len = 0;
        unsigned len = 0;

        if (rest.len == 0) {
                return SN_OK;
        }
        const EVP_MD *algorithm = str_next(&rest, ' ', &name) ? algorithm_of(name) : NULL;
        if (algorithm == NULL || rest.len > DIGEST_TEXT_MAX || !base64_decode(rest.ptr, rest.len, said, &said_len)) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_request", "checksum",
                                     "must be sha1 or sha256, a space, and the checksum in Base64");
        }
        if (!c->body->complete || !digest_body(c->body, algorithm, is, &len) || len != said_len ||
            memcmp(said, is, len) != 0) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "checksum_mismatch", "checksum",
                                     "does not match the bytes that arrived; send them again");
        }
        return SN_OK;
}

/* --- metadata --- */

static bool next_pair(struct str *rest, struct str *name, struct str *value)
{
        struct str pair;

        if (!str_next(rest, ',', &pair)) {
                return false;
        }
        pair = str_trim(pair);
        *value = pair;
        if (!str_next(value, ' ', name)) {
                *name = pair;
                *value = STR("");
        }
        return true;
}

static const char *decode(struct rpc_call *c, struct str value, size_t max_bytes)
{
        uint8_t *bytes = arena_alloc(c->arena, 3 * ((value.len + 3) / 4) + 1);
        size_t len = 0;

        return base64_decode(value.ptr, value.len, bytes, &len)
                   ? text_clean(c->arena, (struct str){(const char *)bytes, len}, max_bytes)
                   : NULL;
}

const char *tus_metadata(struct rpc_call *c, const char *metadata, const char *wanted, size_t max_bytes)
{
        struct str rest = str_of(metadata), name, value;

        while (next_pair(&rest, &name, &value)) {
                const char *text = str_equal_c(name, wanted) ? decode(c, value, max_bytes) : NULL;

                if (text != NULL) {
                        return text;
                }
        }
        return "";
}

sn_status tus_check_metadata(struct rpc_call *c, const char *metadata)
{
        struct str rest = str_of(metadata), name, value;

        while (rest.len > 0 && next_pair(&rest, &name, &value)) {
                if (name.len == 0 || decode(c, value, value.len) == NULL) {
                        return rpc_fail(
                            c, SN_INVALID_ARGUMENT, "metadata",
                            "must be names, each followed by a space and its value in Base64, separated by commas");
                }
        }
        return SN_OK;
}

/* --- concatenation --- */

static sn_status fail_concat(struct rpc_call *c)
{
        return rpc_fail(c, SN_INVALID_ARGUMENT, "concat",
                        "must be \"partial\", or \"final;\" and up to %d URLs of partial uploads, separated by spaces",
                        PARTS_MAX);
}

bool tus_is_final(const char *concat)
{
        return str_starts(str_of(concat), STR("final;"));
}

sn_status tus_parts(struct rpc_call *c, const char *concat, size_t *n, char ***ids)
{
        struct str rest = str_of(concat), part;

        *n = 0;
        *ids = ARENA_ARRAY(c->arena, char *, PARTS_MAX);
        if (concat[0] == '\0' || strcmp(concat, "partial") == 0) {
                return SN_OK;
        }
        if (!tus_is_final(concat)) {
                return fail_concat(c);
        }
        rest = (struct str){rest.ptr + 6, rest.len - 6};
        while (str_next(&rest, ' ', &part)) {
                const char *id = part.len >= UUID_SIZE - 1
                                     ? arena_strndup(c->arena, part.ptr + part.len - (UUID_SIZE - 1), UUID_SIZE - 1)
                                     : "";

                if (*n == PARTS_MAX || !uuid_valid(id)) {
                        return fail_concat(c);
                }
                (*ids)[(*n)++] = (char *)id;
        }
        return *n > 0 ? SN_OK : fail_concat(c);
}
