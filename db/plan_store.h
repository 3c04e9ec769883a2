/* Storing: from a value as PostgreSQL sends it to a field as protobuf-c has it. Private to db/. */
#ifndef DB_PLAN_STORE_H
#define DB_PLAN_STORE_H

#include <protobuf-c/protobuf-c.h>
#include "base/arena.h"
#include "db/plan.h"

enum { DB_COLUMN_DEPTH = 4 };

/* One column of a result, on its way into a message. */
struct db_column {
        enum db_kind kind;
        uint8_t depth; /* sub-messages on the way */
        const ProtobufCFieldDescriptor *path[DB_COLUMN_DEPTH];
        const ProtobufCFieldDescriptor *field;
        bool (*store)(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena);
        bool (*store_list)(const ProtobufCFieldDescriptor *field, struct db_value v, void **items, size_t *n,
                           struct arena *arena);
};

/* Sets store or, for a repeated field, store_list, after kind and field. False when the two do not fit. */
bool db_column_choose_store(struct db_column *c);

#endif
