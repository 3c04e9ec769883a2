/* Chunks: hand-written headers around unchanged bytes. */
#include "rpc/grpc_chunk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PREFIX_BYTES = 5, WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

/* ---- To the wire ---- */

static size_t put_varint(uint64_t value, char *out)
{
        size_t n = 0;
        for (; value >= 0x80; value >>= 7) {
                out[n++] = (char)(value | 0x80);
        }
        out[n++] = (char)value;
        return n;
}

size_t grpc_chunk_head(uint32_t field, size_t len, char out[GRPC_CHUNK_HEAD_BYTES])
{
        size_t n = PREFIX_BYTES;
        n += put_varint((uint64_t)field << 3 | WIRE_LENGTH, out + n);
        n += put_varint(len, out + n);
        size_t message = n - PREFIX_BYTES + len;
        const char prefix[PREFIX_BYTES] = {0, (char)(message >> 24), (char)(message >> 16), (char)(message >> 8),
                                           (char)message};
        memcpy(out, prefix, sizeof(prefix));
        return n;
}

struct grpc_region grpc_region_of(int fd, int64_t offset, int64_t length, uint32_t field, struct http_request *answered)
{
        return (struct grpc_region){.fd = fd, .at = offset, .left = length, .field = field, .answered = answered};
}

static void begin_chunk(struct grpc_region *r)
{
        r->chunk_left = r->left < GRPC_CHUNK_BYTES ? (size_t)r->left : GRPC_CHUNK_BYTES;
        r->head_len = grpc_chunk_head(r->field, r->chunk_left, r->head);
        r->head_at = 0;
}

static ssize_t read_bytes(const struct grpc_region *r, char *into, size_t size)
{
        ssize_t n;
        if (r->is_pipe) {
                return http_flow_read_pipe(r->answered, r->fd, into, size);
        }
        if (r->answered != NULL) {
                return http_flow_read_file(r->answered, r->fd, r->at, into, size);
        }
        do {
                n = pread(r->fd, into, size, r->at);
        } while (n < 0 && errno == EINTR);
        return n > 0 ? n : HTTP_FLOW_BROKEN;
}

ssize_t grpc_region_read(struct grpc_region *r, char *into, size_t size)
{
        if (r->chunk_left == 0) {
                if (r->left == 0) {
                        return 0;
                }
                begin_chunk(r);
        }
        size_t head = r->head_len - r->head_at < size ? r->head_len - r->head_at : size;
        memcpy(into, r->head + r->head_at, head);
        r->head_at += head;
        size_t room = size - head < r->chunk_left ? size - head : r->chunk_left;
        if (room == 0) {
                return (ssize_t)head;
        }
        ssize_t n = read_bytes(r, into + head, room);
        if (n < 0) {
                return n == HTTP_FLOW_WAITS && head > 0 ? (ssize_t)head : n;
        }
        r->at += n;
        r->left -= n;
        r->chunk_left -= (size_t)n;
        return (ssize_t)head + n;
}

/* ---- From the wire ---- */

static bool take_varint(struct str *in, uint64_t *value)
{
        *value = 0;
        for (int shift = 0; in->len > 0 && shift < 64; shift += 7) {
                uint8_t byte = (uint8_t)in->ptr[0];
                in->ptr++;
                in->len--;
                *value |= (uint64_t)(byte & 0x7f) << shift;
                if (byte < 0x80) {
                        return true;
                }
        }
        return false;
}

/* The value of a field, after its key. Groups are not supported (proto2). */
static bool take_value(struct str *in, unsigned wire, struct str *value)
{
        uint64_t len = wire == WIRE_64 ? 8 : 4;
        const char *from = in->ptr;
        if (wire == WIRE_VARINT) {
                bool good = take_varint(in, &len);
                *value = (struct str){from, (size_t)(in->ptr - from)};
                return good;
        }
        if ((wire == WIRE_LENGTH && !take_varint(in, &len)) || wire == 3 || wire == 4 || wire > WIRE_32 ||
            len > in->len) {
                return false;
        }
        *value = (struct str){in->ptr, (size_t)len};
        in->ptr += len;
        in->len -= (size_t)len;
        return true;
}

bool grpc_chunk_split(struct str message, uint32_t field, struct str *bytes, struct buf *rest)
{
        bool found = false;
        *bytes = (struct str){"", 0};
        while (message.len > 0) {
                const char *from = message.ptr;
                uint64_t key;
                struct str value;
                if (!take_varint(&message, &key) || !take_value(&message, key & 7, &value)) {
                        return false;
                }
                if (key != ((uint64_t)field << 3 | WIRE_LENGTH)) {
                        buf_append(rest, from, (size_t)(message.ptr - from));
                        continue;
                }
                if (found) {
                        return false;
                }
                found = true;
                *bytes = value;
        }
        return true;
}
