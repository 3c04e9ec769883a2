/* Owns decoding PostgreSQL's binary values. The server is trusted, but all lengths are checked. */
#include "db/value.h"

#include <endian.h>
#include <string.h>
#include "base/uuid.h"
#include "db/bind.h"

enum db_kind db_kind_of(Oid type)
{
        switch (type) {
        case OID_UUID:
                return DB_KIND_UUID;
        case OID_TEXT:
        case OID_VARCHAR:
        case OID_BPCHAR:
        case OID_NAME:
        case OID_JSON:
                return DB_KIND_TEXT;
        case OID_JSONB:
                return DB_KIND_JSONB;
        case OID_INT2:
        case OID_INT4:
        case OID_INT8:
                return DB_KIND_INT;
        case OID_BOOL:
                return DB_KIND_BOOL;
        case OID_TIMESTAMPTZ:
                return DB_KIND_TIME;
        case OID_BYTEA:
                return DB_KIND_BYTES;
        case OID_FLOAT4:
        case OID_FLOAT8:
                return DB_KIND_FLOAT;
        case OID_UUID_ARRAY:
                return DB_KIND_UUIDS;
        case OID_TEXT_ARRAY:
        case OID_VARCHAR_ARRAY:
                return DB_KIND_TEXTS;
        case OID_INT2_ARRAY:
        case OID_INT4_ARRAY:
        case OID_INT8_ARRAY:
                return DB_KIND_INTS;
        default:
                return type >= OID_FIRST_USER ? DB_KIND_TEXT : DB_KIND_OTHER;
        }
}

static uint32_t read_u32(const uint8_t *bytes)
{
        uint32_t wire;

        memcpy(&wire, bytes, sizeof(wire));
        return be32toh(wire);
}

static uint64_t read_u64(const uint8_t *bytes)
{
        uint64_t wire;

        memcpy(&wire, bytes, sizeof(wire));
        return be64toh(wire);
}

int64_t db_value_int(struct db_value v)
{
        switch (v.len) {
        case 1:
                return v.bytes[0];
        case 2:
                return (int16_t)((uint16_t)v.bytes[0] << 8 | v.bytes[1]);
        case 4:
                return (int32_t)read_u32(v.bytes);
        case 8:
                return (int64_t)read_u64(v.bytes);
        default:
                return 0;
        }
}

int64_t db_value_time_us(struct db_value v)
{
        int64_t us = db_value_int(v);

        /* ±infinity are the ends of the range: they stay there */
        return us > INT64_MAX - DB_EPOCH_US ? INT64_MAX : us == INT64_MIN ? INT64_MIN : us + DB_EPOCH_US;
}

char *db_value_uuid(struct db_value v, struct arena *arena)
{
        char *text = arena_alloc(arena, UUID_SIZE);

        return v.len == 16 ? uuid_from_bytes(v.bytes, text) : text;
}

bool db_array_open(struct db_value v, struct db_array *array)
{
        *array = (struct db_array){.next = v.bytes, .end = v.bytes + v.len};
        if (v.len < 12) {
                return false;
        }
        uint32_t dimensions = read_u32(v.bytes);

        if (dimensions == 0) {
                return true;
        }
        if (dimensions != 1 || v.len < 20) {
                return false;
        }
        array->n = read_u32(v.bytes + 12);
        array->next = v.bytes + 20;
        return array->n <= (uint32_t)(v.len - 20) / 4; /* each has at least its length */
}

bool db_array_next(struct db_array *array, struct db_value *element)
{
        if (array->end - array->next < 4) {
                return false;
        }
        *element = (struct db_value){.bytes = array->next + 4, .len = (int32_t)read_u32(array->next)};
        array->next += 4;
        if (element->len < 0) {
                return element->len == -1;
        }
        if (array->end - array->next < element->len) {
                return false;
        }
        array->next += element->len;
        return true;
}
