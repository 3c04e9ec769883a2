/* Field: from a value as PostgreSQL sends it to a field as protobuf-c has it. Private to db/. */
#ifndef DB_FIELD_H
#define DB_FIELD_H

#include "base/contract.h"
#include "db/value.h"

/* Stores a value in the field of a message. False when it does not fit: a number out of range, a malformed array. */
typedef bool db_field_store(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena);

/* How a value of that kind is stored in the field; NULL when the two do not go together. */
db_field_store *db_field_store_of(const struct rpc_field *f, enum db_kind kind);

#endif
