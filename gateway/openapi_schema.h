/* Schemas (JSON Schema 2020-12): what messages look like as JSON, with the limits of their fields. A message that
 * clients send and one that they get differ: what may be left out, and what is null. Private to the OpenAPI renderer.
 */
#ifndef GATEWAY_OPENAPI_SCHEMA_H
#define GATEWAY_OPENAPI_SCHEMA_H

#include "base/buf.h"
#include "base/contract.h"

/* The messages that the document refers to. */
struct schema_set {
        struct schema_use {
                const struct rpc_message *message;
                bool sent; /* by clients */
        } * uses;
        size_t n, capacity;
};

/* Adds the message and all inside it. Aborts when memory is out (at start only). */
void schema_collect(struct schema_set *set, const struct rpc_message *message, bool sent);
void schema_set_free(struct schema_set *set);

/* {"$ref": …} */
void schema_reference(struct buf *out, const struct schema_set *set, const struct rpc_message *message, bool sent);
/* The members of components.schemas. */
void schema_write_all(struct buf *out, const struct schema_set *set);
/* An object with the fields of a message that clients send, without those that the path gives. */
void schema_write_body(struct buf *out, const struct schema_set *set, const struct rpc_message *message,
                       const char *path);
/* One field that clients send in path or query. */
void schema_write_field(struct buf *out, const struct schema_set *set, const struct rpc_field *field);

/* One field of an answer. */
void schema_write_answer_field(struct buf *out, const struct schema_set *set, const struct rpc_field *field);

/* True for "{name}" in the path. */
bool schema_in_path(const char *path, const char *name);

#endif
