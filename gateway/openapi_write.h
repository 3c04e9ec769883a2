/* Incremental JSON writer that inserts commas itself. Private to the OpenAPI renderer. */
#ifndef GATEWAY_OPENAPI_WRITE_H
#define GATEWAY_OPENAPI_WRITE_H

#include "base/buf.h"
#include "base/str.h"

void open_object(struct buf *out);
void close_object(struct buf *out);
void open_array(struct buf *out);
void close_array(struct buf *out);
void write_key(struct buf *out, const char *key);
void write_text(struct buf *out, const char *text);
void write_number(struct buf *out, int64_t number);
void write_bool(struct buf *out, bool value);
void write_json(struct buf *out, struct str json); /* a value that is already JSON */

/* A member with its value; writes nothing if text is NULL. */
void member_text(struct buf *out, const char *key, const char *text);
void member_number(struct buf *out, const char *key, int64_t number);
void member_object(struct buf *out, const char *key); /* must be closed */
void member_array(struct buf *out, const char *key);  /* must be closed */

#endif
