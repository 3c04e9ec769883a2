/* A growing byte buffer with a fixed maximum. Beyond it the buffer accepts no more bytes and sets overflow. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
        char *data; /* NUL-terminated at data[len] whenever data is not NULL */
        size_t len;
        size_t capacity; /* 0 with data: the bytes are borrowed */
        size_t max_bytes;
        bool overflow; /* an append did not fit: the contents are truncated and must not be used */
};

void buf_init(struct buf *b, size_t max_bytes);
/* Borrows bytes that outlive the buffer: appending fails, and buf_free does not free them. data is not
 * NUL-terminated then. */
void buf_borrow(struct buf *b, const void *bytes, size_t len);
void buf_free(struct buf *b);  /* safe twice and on a zeroed struct */
void buf_reset(struct buf *b); /* empties, keeps the memory */
/* Reserves room for that many bytes; false (and overflow) if the maximum is exceeded. */
bool buf_reserve(struct buf *b, size_t more);
void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_append_c(struct buf *b, const char *c_string);
void buf_append_char(struct buf *b, char c);
void buf_append_i64(struct buf *b, int64_t value);
void buf_append_u64(struct buf *b, uint64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
