/* Values as PostgreSQL sends them in binary. Private to db/. */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

/* Types that are decoded alike are one kind. */
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
        DB_KIND_COUNT
};
enum db_kind db_kind_of(Oid type);

/* One value as received. */
struct db_value {
        const uint8_t *bytes;
        int len;
};
int64_t db_value_int(struct db_value v);                     /* 1, 2, 4 or 8 bytes, signed */
int64_t db_value_time_us(struct db_value v);                 /* since 1970 */
char *db_value_uuid(struct db_value v, struct arena *arena); /* "" if it is not a UUID */

/* Elements of a one-dimensional array; bounds are checked, a NULL element has len -1. */
struct db_array {
        const uint8_t *next, *end;
        uint32_t n;
};
bool db_array_open(struct db_value v, struct db_array *array);
bool db_array_next(struct db_array *array, struct db_value *element);

#endif
