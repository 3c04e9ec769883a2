/* Owns encoding C values as PostgreSQL's binary parameters. Each has an explicit type, so that the meaning of a
 * statement does not depend on what the parameter is compared with. */
#include "db/bind.h"

#include <endian.h>
#include <limits.h>
#include <string.h>
#include "base/uuid.h"

struct db_bind bind_null(void)
{
        return (struct db_bind){.type = DB_NULL};
}

struct db_bind bind_uuid(const char *uuid)
{
        return (struct db_bind){.type = DB_UUID, .ptr = uuid != NULL && *uuid ? uuid : NULL};
}

struct db_bind bind_text(const char *text)
{
        return (struct db_bind){.type = DB_TEXT, .ptr = text};
}

struct db_bind bind_i64(int64_t value)
{
        return (struct db_bind){.type = DB_I64, .number = value};
}

struct db_bind bind_bool(bool value)
{
        return (struct db_bind){.type = DB_BOOL, .number = value};
}

struct db_bind bind_time_ms(int64_t wall_ms)
{
        return (struct db_bind){.type = DB_TIME_MS, .number = wall_ms};
}

struct db_bind bind_bytes(const void *ptr, size_t len)
{
        return (struct db_bind){.type = DB_BYTES, .ptr = ptr != NULL ? ptr : "", .len = len};
}

struct db_bind bind_uuids(char *const *uuids, size_t n)
{
        return (struct db_bind){.type = DB_UUIDS, .ptr = uuids, .len = n};
}

struct db_bind bind_texts(char *const *texts, size_t n)
{
        return (struct db_bind){.type = DB_TEXTS, .ptr = texts, .len = n};
}

struct db_bind bind_i64s(const int64_t *values, size_t n)
{
        return (struct db_bind){.type = DB_I64S, .ptr = values, .len = n};
}

static const Oid oid_of[] = {
    [DB_NULL] = OID_UNKNOWN,     [DB_UUID] = OID_UUID,           [DB_TEXT] = OID_TEXT,   [DB_I64] = OID_INT8,
    [DB_BOOL] = OID_BOOL,        [DB_TIME_MS] = OID_TIMESTAMPTZ, [DB_BYTES] = OID_BYTEA, [DB_UUIDS] = OID_UUID_ARRAY,
    [DB_TEXTS] = OID_TEXT_ARRAY, [DB_I64S] = OID_INT8_ARRAY,
};

static uint8_t *put_i32(uint8_t *out, int64_t value)
{
        uint32_t wire = htobe32((uint32_t)value);

        memcpy(out, &wire, sizeof(wire));
        return out + sizeof(wire);
}

static uint8_t *put_i64(uint8_t *out, int64_t value)
{
        uint64_t wire = htobe64((uint64_t)value);

        memcpy(out, &wire, sizeof(wire));
        return out + sizeof(wire);
}

/* The header of a one-dimensional array; elements follow, each with its length. */
static uint8_t *put_array(uint8_t *out, Oid element, size_t n, bool has_null)
{
        out = put_i32(out, n > 0 ? 1 : 0);
        out = put_i32(out, has_null);
        out = put_i32(out, element);
        if (n > 0) {
                out = put_i32(out, (int64_t)n);
                out = put_i32(out, 1);
        }
        return out;
}

#define ARRAY_HEADER 20
#define MAX_ELEMENTS 1000000

static bool set_array(struct db_wire *wire, size_t i, const uint8_t *start, const uint8_t *end)
{
        if (end - start > INT_MAX) {
                return false;
        }
        wire->values[i] = (const char *)start;
        wire->lengths[i] = (int)(end - start);
        return true;
}

static bool encode_uuids(struct arena *arena, const struct db_bind *bind, struct db_wire *wire, size_t i)
{
        char *const *uuids = bind->ptr;
        bool has_null = false;
        uint8_t *start = arena_alloc(arena, ARRAY_HEADER + bind->len * 20), *out;

        for (size_t k = 0; k < bind->len; k++) {
                has_null = has_null || uuids[k] == NULL || !*uuids[k];
        }
        out = put_array(start, OID_UUID, bind->len, has_null);
        for (size_t k = 0; k < bind->len; k++) {
                if (uuids[k] == NULL || !*uuids[k]) {
                        out = put_i32(out, -1);
                        continue;
                }
                out = put_i32(out, 16);
                if (!uuid_to_bytes(uuids[k], out)) {
                        return false;
                }
                out += 16;
        }
        return set_array(wire, i, start, out);
}

static bool encode_texts(struct arena *arena, const struct db_bind *bind, struct db_wire *wire, size_t i)
{
        char *const *texts = bind->ptr;
        size_t bytes = ARRAY_HEADER;
        bool has_null = false;

        for (size_t k = 0; k < bind->len; k++) {
                bytes += 4 + (texts[k] != NULL ? strlen(texts[k]) : 0);
                has_null = has_null || texts[k] == NULL;
        }
        if (bytes > INT_MAX) {
                return false;
        }
        uint8_t *start = arena_alloc(arena, bytes);
        uint8_t *out = put_array(start, OID_TEXT, bind->len, has_null);

        for (size_t k = 0; k < bind->len; k++) {
                size_t len = texts[k] != NULL ? strlen(texts[k]) : 0;

                out = put_i32(out, texts[k] != NULL ? (int64_t)len : -1);
                if (len > 0) {
                        memcpy(out, texts[k], len);
                        out += len;
                }
        }
        return set_array(wire, i, start, out);
}

static bool encode_i64s(struct arena *arena, const struct db_bind *bind, struct db_wire *wire, size_t i)
{
        const int64_t *values = bind->ptr;
        uint8_t *start = arena_alloc(arena, ARRAY_HEADER + bind->len * 12);
        uint8_t *out = put_array(start, OID_INT8, bind->len, false);

        for (size_t k = 0; k < bind->len; k++) {
                out = put_i32(out, 8);
                out = put_i64(out, values[k]);
        }
        return set_array(wire, i, start, out);
}

/* Fixed-width values go to the scratch space; a NULL stays a NULL pointer. */
static bool encode_scalar(const struct db_bind *bind, struct db_wire *wire, size_t i)
{
        uint8_t *scratch = wire->scratch[i];
        int64_t us;

        switch (bind->type) {
        case DB_UUID:
                if (bind->ptr == NULL) {
                        return true;
                }
                wire->lengths[i] = 16;
                wire->values[i] = (const char *)scratch;
                return uuid_to_bytes(bind->ptr, scratch);
        case DB_I64:
                wire->lengths[i] = 8;
                (void)put_i64(scratch, bind->number);
                break;
        case DB_BOOL:
                wire->lengths[i] = 1;
                scratch[0] = bind->number != 0;
                break;
        case DB_TIME_MS:
                if (__builtin_mul_overflow(bind->number, INT64_C(1000), &us) ||
                    __builtin_sub_overflow(us, DB_EPOCH_US, &us)) {
                        return false;
                }
                wire->lengths[i] = 8;
                (void)put_i64(scratch, us);
                break;
        default:
                return true;
        }
        wire->values[i] = (const char *)scratch;
        return true;
}

static bool encode_bind(struct arena *arena, const struct db_bind *bind, struct db_wire *wire, size_t i)
{
        size_t len = bind->type == DB_TEXT && bind->ptr != NULL ? strlen(bind->ptr) : bind->len;

        switch (bind->type) {
        case DB_TEXT:
        case DB_BYTES:
                wire->values[i] = bind->ptr;
                wire->lengths[i] = (int)len;
                return len <= INT_MAX;
        case DB_UUIDS:
                return len <= MAX_ELEMENTS && encode_uuids(arena, bind, wire, i);
        case DB_TEXTS:
                return len <= MAX_ELEMENTS && encode_texts(arena, bind, wire, i);
        case DB_I64S:
                return len <= MAX_ELEMENTS && encode_i64s(arena, bind, wire, i);
        default:
                return encode_scalar(bind, wire, i);
        }
}

bool db_encode(struct arena *arena, const struct db_bind *binds, size_t n, struct db_wire *wire, size_t *bad)
{
        wire->n = (int)n;
        wire->signature = 0;
        if (n > DB_MAX_BINDS) {
                *bad = DB_MAX_BINDS + 1;
                return false;
        }
        for (size_t i = 0; i < n; i++) {
                wire->types[i] = oid_of[binds[i].type];
                wire->signature = wire->signature * 31 + (uint32_t)binds[i].type + 1;
                wire->values[i] = NULL;
                wire->lengths[i] = 0;
                wire->formats[i] = 1;
                if (!encode_bind(arena, &binds[i], wire, i)) {
                        *bad = i + 1;
                        return false;
                }
        }
        return true;
}
