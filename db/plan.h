/* Row plans: which column of a statement lands in which field of its message, and how. Private to db/. */
#ifndef DB_PLAN_H
#define DB_PLAN_H

#include <libpq-fe.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "db/statement.h"

struct db_plan;

/* The plan of a result (rows or a description), built at its first use and kept; NULL, with a sentence in error (may be
 * NULL), when a column has no field or one of another type. */
const struct db_plan *db_plan_of(const struct db_statement *s, const PGresult *result, struct arena *arena,
                                 struct buf *error);
/* Copies a row into message, in the arena. False when a value does not fit its field. */
bool db_plan_fill(const struct db_plan *plan, const PGresult *result, int row, ProtobufCMessage *message,
                  struct arena *arena);

/* Values on the wire, in any of the types that mean them. */
enum db_kind {
        DB_KIND_OTHER,
        DB_KIND_UUID,
        DB_KIND_TEXT,
        DB_KIND_JSONB,
        DB_KIND_INT,
        DB_KIND_BOOL,
        DB_KIND_TIME,
        DB_KIND_BYTES,
        DB_KIND_FLOAT,
        DB_KIND_UUIDS,
        DB_KIND_TEXTS,
        DB_KIND_INTS,
};
enum db_kind db_kind_of(Oid type);

/* One value as it came. */
struct db_value {
        const uint8_t *bytes;
        int len;
};
int64_t db_value_int(struct db_value v);                     /* 1, 2, 4 or 8 bytes, signed */
int64_t db_value_time_us(struct db_value v);                 /* since 1970 */
char *db_value_uuid(struct db_value v, struct arena *arena); /* "" when it is none */

/* Elements of a one-dimensional array; bounds are checked, a NULL element has len -1. */
struct db_array {
        const uint8_t *next, *end;
        uint32_t n;
};
bool db_array_open(struct db_value v, struct db_array *array);
bool db_array_next(struct db_array *array, struct db_value *element);

#endif
