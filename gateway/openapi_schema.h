/* JSON Schemas (2020-12) of messages with the limits of their fields. A message has one schema for requests and one
 * for responses, which differ in what may be left out and what may be null. Private to the OpenAPI renderer. */
#ifndef GATEWAY_OPENAPI_SCHEMA_H
#define GATEWAY_OPENAPI_SCHEMA_H

#include "base/buf.h"
#include "base/contract.h"

/* The messages that the document refers to. */
struct schema_set {
        struct schema_use {
                const struct rpc_message *message;
                bool sent; /* in requests */
        } * uses;
        size_t n, capacity;
};

/* Adds the message and all messages in it. Aborts when out of memory (used only at start). */
void schema_collect(struct schema_set *set, const struct rpc_message *message, bool sent);
void schema_set_free(struct schema_set *set);

/* {"$ref": …} */
void schema_reference(struct buf *out, const struct schema_set *set, const struct rpc_message *message, bool sent);
/* The members of components.schemas. */
void schema_write_all(struct buf *out, const struct schema_set *set);
/* An object with the fields of a request message, except those in the path. */
void schema_write_body(struct buf *out, const struct schema_set *set, const struct rpc_message *message,
                       const char *path);
/* A field of a request in the path or query. */
void schema_write_field(struct buf *out, const struct schema_set *set, const struct rpc_field *field);

/* A field of a response. */
void schema_write_answer_field(struct buf *out, const struct schema_set *set, const struct rpc_field *field);

/* True for "{name}" in the path. */
bool schema_in_path(const char *path, const char *name);

#endif
