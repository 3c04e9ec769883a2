/* One value of a field, from a JSON scalar or from text, checked and stored. Shared by read.c and set_field.c. */
#ifndef JSON_VALUE_H
#define JSON_VALUE_H

#include "base/call.h"
#include "base/contract.h"

/* Each stores into member, or returns what was expected ("a whole number from 0 to 4294967295"); NULL on success. */
const char *value_set_i64(const struct rpc_field *f, void *member, int64_t value);
const char *value_set_u64(const struct rpc_field *f, void *member, uint64_t value);
const char *value_set_double(const struct rpc_field *f, void *member, double value);
/* Strings, bytes, enums by name, timestamps. text is valid UTF-8 without NUL. */
const char *value_set_text(const struct rpc_field *f, struct arena *arena, void *member, struct str text);

/* Where to store the value of a field that is not a list; marks the field as present. False if another member of its
 * oneof is already present. */
bool value_claim(const struct rpc_field *f, void *message, void **member);

#endif
