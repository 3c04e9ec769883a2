/* Parameters on the wire: binary, with their types. Private to db/. */
#ifndef DB_BIND_H
#define DB_BIND_H

#include <libpq-fe.h>
#include "base/arena.h"
#include "db/statement.h"

/* From pg_type.dat; these never change. */
enum db_oid {
        OID_UNKNOWN = 0,
        OID_BOOL = 16,
        OID_BYTEA = 17,
        OID_NAME = 19,
        OID_INT8 = 20,
        OID_INT2 = 21,
        OID_INT4 = 23,
        OID_TEXT = 25,
        OID_JSON = 114,
        OID_FLOAT4 = 700,
        OID_FLOAT8 = 701,
        OID_INT2_ARRAY = 1005,
        OID_INT4_ARRAY = 1007,
        OID_TEXT_ARRAY = 1009,
        OID_VARCHAR_ARRAY = 1015,
        OID_INT8_ARRAY = 1016,
        OID_BPCHAR = 1042,
        OID_VARCHAR = 1043,
        OID_TIMESTAMPTZ = 1184,
        OID_UUID = 2950,
        OID_UUID_ARRAY = 2951,
        OID_JSONB = 3802,
        OID_FIRST_USER = 16384, /* types of extensions: citext, enums; text on the wire */
};

/* Microseconds between the epochs of Unix and of PostgreSQL (2000-01-01). */
#define DB_EPOCH_US INT64_C(946684800000000)

#define DB_MAX_BINDS 64

/* The arguments of PQsendQueryPrepared. Filled by db_encode; scalars are stored inline, lists in the arena. */
struct db_wire {
        int n;
        uint32_t signature; /* of the types */
        Oid types[DB_MAX_BINDS];
        const char *values[DB_MAX_BINDS];
        int lengths[DB_MAX_BINDS];
        int formats[DB_MAX_BINDS];
        uint8_t scratch[DB_MAX_BINDS][16];
};

/* False if a bind cannot be sent (an ID that is not a UUID, a list too long for the protocol); *bad is its number,
 * from 1. */
bool db_encode(struct arena *arena, const struct db_bind *binds, size_t n, struct db_wire *wire, size_t *bad);

#endif
