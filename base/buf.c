/* Growing byte buffers. After an append that did not fit, the buffer accepts nothing more, so that its contents have
 * no gaps. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { SMALLEST_CAPACITY = 256 };

void buf_init(struct buf *b, size_t max_bytes)
{
        *b = (struct buf){.max_bytes = max_bytes};
}

void buf_borrow(struct buf *b, const void *bytes, size_t len)
{
        *b = (struct buf){.data = (char *)(uintptr_t)bytes, .len = len, .max_bytes = len};
}

static bool is_borrowed(const struct buf *b)
{
        return b->data != NULL && b->capacity == 0;
}

void buf_free(struct buf *b)
{
        if (!is_borrowed(b)) {
                free(b->data);
        }
        *b = (struct buf){.max_bytes = b->max_bytes};
}

void buf_reset(struct buf *b)
{
        b->len = 0;
        b->overflow = false;
        if (is_borrowed(b)) {
                b->data = NULL;
        }
        if (b->data != NULL) {
                b->data[0] = '\0';
        }
}

/* Doubles the memory until need (which counts the NUL) fits, without going past the maximum. */
static bool grow_buf(struct buf *b, size_t need)
{
        size_t capacity = b->capacity < SMALLEST_CAPACITY ? SMALLEST_CAPACITY : b->capacity;
        while (capacity < need) {
                capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
        }
        if (capacity - 1 > b->max_bytes) {
                capacity = b->max_bytes + 1;
        }
        char *data = realloc(b->data, capacity);
        if (data == NULL) {
                return false;
        }
        b->data = data;
        b->capacity = capacity;
        b->data[b->len] = '\0';
        return true;
}

bool buf_reserve(struct buf *b, size_t more)
{
        if (b->overflow) {
                return false;
        }
        if (is_borrowed(b) || b->max_bytes < b->len || more > b->max_bytes - b->len || more > SIZE_MAX - 1 - b->len) {
                b->overflow = true;
                return false;
        }
        size_t need = b->len + more + 1;
        if (need > b->capacity && !grow_buf(b, need)) {
                b->overflow = true;
                return false;
        }
        return true;
}

void buf_append(struct buf *b, const void *bytes, size_t len)
{
        if (!buf_reserve(b, len)) {
                return;
        }
        if (len > 0) {
                memcpy(b->data + b->len, bytes, len);
        }
        b->len += len;
        b->data[b->len] = '\0';
}

void buf_append_c(struct buf *b, const char *c_string)
{
        buf_append(b, c_string, strlen(c_string));
}

void buf_append_char(struct buf *b, char c)
{
        if (buf_reserve(b, 1)) {
                b->data[b->len++] = c;
                b->data[b->len] = '\0';
        }
}

void buf_append_u64(struct buf *b, uint64_t value)
{
        char digits[20];
        struct str text = str_of_u64(value, digits);
        buf_append(b, text.ptr, text.len);
}

void buf_append_i64(struct buf *b, int64_t value)
{
        if (value < 0) {
                buf_append_char(b, '-');
                buf_append_u64(b, -(uint64_t)value);
        } else {
                buf_append_u64(b, (uint64_t)value);
        }
}

void buf_printf(struct buf *b, const char *format, ...)
{
        va_list args, again;
        va_start(args, format);
        va_copy(again, args);
        int len = vsnprintf(NULL, 0, format, args);
        if (len < 0) {
                b->overflow = true;
        } else if (buf_reserve(b, (size_t)len)) {
                vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
                b->len += (size_t)len;
        }
        va_end(again);
        va_end(args);
}
