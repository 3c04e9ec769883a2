/* The writer's position in a struct buf. It checks for room once per piece and keeps no NUL in between. */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <string.h>
#include "base/buf.h"
#include "base/contract.h"

struct out {
        struct buf *buf;
        char *at, *end; /* end reserves a byte for the NUL */
        bool anew;      /* kept JSON is not used */
};

static inline struct out out_begin(struct buf *buf)
{
        static char nowhere; /* for a buffer without memory: there is no room in it */
        if (buf->data == NULL) {
                return (struct out){buf, &nowhere, &nowhere, false};
        }
        return (struct out){buf, buf->data + buf->len, buf->data + buf->capacity - 1, false};
}

/* Commits the written bytes to the buffer. */
static inline void out_end(struct out *o)
{
        if (o->buf->data != NULL) {
                o->buf->len = (size_t)(o->at - o->buf->data);
                *o->at = '\0';
        }
}

/* Slow path of out_room (json/string.c). */
bool out_grow(struct out *o, size_t bytes);

/* False beyond the buffer's maximum, from then on always: the buffer is marked, and nothing more is written. */
static inline bool out_room(struct out *o, size_t bytes)
{
        return ((size_t)(o->end - o->at) >= bytes && !o->buf->overflow) || out_grow(o, bytes);
}

static inline void out_bytes(struct out *o, const char *bytes, size_t len)
{
        if (out_room(o, len)) {
                memcpy(o->at, bytes, len);
                o->at += len;
        }
}

/* The same for the padded texts of a contract: copying a fixed size takes one or two instructions. */
static inline void out_padded(struct out *o, const char *bytes, size_t len)
{
        if (len <= RPC_PADDING && (size_t)(o->end - o->at) >= RPC_PADDING && !o->buf->overflow) {
                memcpy(o->at, bytes, RPC_PADDING);
                o->at += len;
        } else {
                out_bytes(o, bytes, len);
        }
}

static inline void out_char(struct out *o, char c)
{
        if (out_room(o, 1)) {
                *o->at++ = c;
        }
}

/* Quoted and escaped; invalid UTF-8 becomes U+FFFD (json/string.c). */
void out_string(struct out *o, const char *text, size_t len);

#endif
