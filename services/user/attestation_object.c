/* Reads attestation objects with a decoder that neither recurses nor allocates: the statement is skipped and left to
 * libfido2. */
#include "services/user/attestation_object.h"

#include <string.h>

enum {
        MAX_FORMAT_BYTES = 32,
        MAX_ITEMS_DUE = 256,
        UNSIGNED = 0,
        BYTES = 2,
        TEXT = 3,
        ARRAY = 4,
        MAP = 5,
        TAG = 6,
        SIMPLE = 7
};

struct cbor {
        const uint8_t *p, *end;
};

struct item {
        unsigned type;
        uint64_t value; /* the number, or the length */
};

/* RFC 8949, 3: only definite lengths, which is all that CTAP2 allows. */
static bool read_item(struct cbor *in, struct item *out)
{
        if (in->p == in->end) {
                return false;
        }
        unsigned info = *in->p & 31;
        size_t more = info < 24 ? 0 : info <= 27 ? (size_t)1 << (info - 24) : SIZE_MAX;

        out->type = *in->p++ >> 5;
        if (more == SIZE_MAX || (size_t)(in->end - in->p) < more) {
                return false;
        }
        out->value = more == 0 ? info : 0;
        for (size_t i = 0; i < more; i++) {
                out->value = out->value << 8 | *in->p++;
        }
        return true;
}

static bool skip_bytes(struct cbor *in, uint64_t n)
{
        if ((uint64_t)(in->end - in->p) < n) {
                return false;
        }
        in->p += n;
        return true;
}

/* Skips one item with everything in it, counting outstanding items instead of recursing. */
static bool skip_item(struct cbor *in)
{
        uint64_t due = 1;
        struct item item;

        while (due > 0) {
                if (!read_item(in, &item)) {
                        return false;
                }
                due--;
                if (item.type == BYTES || item.type == TEXT) {
                        if (!skip_bytes(in, item.value)) {
                                return false;
                        }
                } else if (item.type == ARRAY || item.type == MAP || item.type == TAG) {
                        uint64_t inside = item.type == TAG ? 1 : item.value;
                        if (inside > MAX_ITEMS_DUE) {
                                return false;
                        }
                        due += item.type == MAP ? 2 * inside : inside;
                }
                if (due > MAX_ITEMS_DUE) {
                        return false;
                }
        }
        return true;
}

static bool read_string(struct cbor *in, unsigned type, const uint8_t **data, size_t *len)
{
        struct item item;

        if (!read_item(in, &item) || item.type != type) {
                return false;
        }
        *data = in->p;
        *len = (size_t)item.value;
        return skip_bytes(in, item.value); /* false: neither may be used */
}

static bool read_statement(struct cbor *in, struct attestation_object *out)
{
        bool is_map = in->p < in->end && *in->p >> 5 == MAP;

        out->statement = in->p;
        if (!is_map || !skip_item(in)) {
                return false;
        }
        out->statement_len = (size_t)(in->p - out->statement);
        return true;
}

static bool is(const uint8_t *name, size_t len, const char *expected)
{
        return len == strlen(expected) && memcmp(name, expected, len) == 0;
}

static bool read_format(struct cbor *in, struct arena *arena, struct attestation_object *out)
{
        const uint8_t *text;
        size_t len;

        if (!read_string(in, TEXT, &text, &len) || len > MAX_FORMAT_BYTES) {
                return false;
        }
        out->format = arena_strndup(arena, (const char *)text, len);
        return true;
}

static bool read_member(struct cbor *in, struct arena *arena, struct attestation_object *out)
{
        const uint8_t *name;
        size_t len;

        if (!read_string(in, TEXT, &name, &len)) {
                return false;
        }
        if (is(name, len, "fmt")) {
                return out->format == NULL && read_format(in, arena, out);
        }
        if (is(name, len, "authData")) {
                return out->authenticator_data == NULL &&
                       read_string(in, BYTES, &out->authenticator_data, &out->authenticator_data_len);
        }
        return is(name, len, "attStmt") && out->statement == NULL && read_statement(in, out);
}

bool attestation_object_read(struct arena *arena, const uint8_t *bytes, size_t len, struct attestation_object *out)
{
        struct cbor in = {bytes, bytes + len};
        struct item map;

        *out = (struct attestation_object){0};
        if (!read_item(&in, &map) || map.type != MAP || map.value != 3) {
                return false;
        }
        for (int i = 0; i < 3; i++) {
                if (!read_member(&in, arena, out)) {
                        return false;
                }
        }
        return in.p == in.end;
}
