/* Field: storing a value received from PostgreSQL in a field of a protobuf-c message. Private to db/. */
#ifndef DB_FIELD_H
#define DB_FIELD_H

#include "base/contract.h"
#include "db/value.h"

/* Stores a value in the field of a message. False if it does not fit: a number out of range, a malformed array. */
typedef bool db_field_store(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena);

/* The function that stores a value of that kind in the field; NULL if their types do not match. */
db_field_store *db_field_store_of(const struct rpc_field *f, enum db_kind kind);

#endif
