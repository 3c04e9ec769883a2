/* Buf: bytes that grow, to a maximum given at birth. Past it the buffer stops taking bytes and says so. */
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
        bool overflow; /* an append did not fit: the contents are cut and must not be used */
};

void buf_init(struct buf *b, size_t max_bytes);
/* Shows bytes that outlive the buffer, without a copy: it takes no more, and buf_free leaves them alone. data is not
 * NUL-terminated then. */
void buf_borrow(struct buf *b, const void *bytes, size_t len);
void buf_free(struct buf *b);  /* safe twice and on a zeroed struct */
void buf_reset(struct buf *b); /* empties, keeps the memory */
/* Makes room for more bytes without a further check; false (and overflow) past the maximum. */
bool buf_reserve(struct buf *b, size_t more);
void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_append_c(struct buf *b, const char *c_string);
void buf_append_char(struct buf *b, char c);
void buf_append_i64(struct buf *b, int64_t value);
void buf_append_u64(struct buf *b, uint64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
