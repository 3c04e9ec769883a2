/* Message framing and gzip, which can expand a thousandfold: so the output is limited. */
#include "rpc/grpc_wire.h"

#include <string.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, INFLATE_FIRST_BYTES = 64 << 10 };

enum grpc_frame grpc_frame_read(struct str bytes, bool *compressed, struct str *message)
{
        const unsigned char *p = (const unsigned char *)bytes.ptr;
        if (bytes.len < GRPC_PREFIX_BYTES) {
                return GRPC_FRAME_PART;
        }
        size_t len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | (size_t)p[4];
        if (p[0] > 1) {
                return GRPC_FRAME_MALFORMED;
        }
        if (len > GRPC_MESSAGE_BYTES) {
                return GRPC_FRAME_TOO_LARGE;
        }
        if (bytes.len - GRPC_PREFIX_BYTES < len) {
                return GRPC_FRAME_PART;
        }
        *compressed = p[0] == 1;
        *message = (struct str){bytes.ptr + GRPC_PREFIX_BYTES, len};
        return GRPC_FRAME_WHOLE;
}

/* Grows by doubling, so that small messages are cheap. */
static enum grpc_frame inflate_all(z_stream *z, struct buf *out)
{
        int result = Z_OK;
        while (result == Z_OK) {
                size_t room = out->len < INFLATE_FIRST_BYTES ? INFLATE_FIRST_BYTES : out->len;
                room = room < out->max_bytes - out->len ? room : out->max_bytes - out->len;
                if (room == 0) {
                        return GRPC_FRAME_TOO_LARGE;
                }
                if (!buf_reserve(out, room)) {
                        return GRPC_FRAME_TOO_LARGE;
                }
                z->next_out = (unsigned char *)out->data + out->len;
                z->avail_out = (unsigned int)room;
                result = inflate(z, Z_NO_FLUSH);
                out->len += room - z->avail_out;
                if (result == Z_BUF_ERROR || (result == Z_OK && z->avail_in == 0 && z->avail_out > 0)) {
                        return GRPC_FRAME_MALFORMED; /* truncated gzip data */
                }
        }
        return result == Z_STREAM_END && z->avail_in == 0 ? GRPC_FRAME_WHOLE : GRPC_FRAME_MALFORMED;
}

static enum grpc_frame unzip(struct arena *arena, struct str zipped, size_t max_bytes, struct str *out)
{
        CLEANUP(buf_free) struct buf plain;
        z_stream z = {.next_in = (unsigned char *)zipped.ptr, .avail_in = (unsigned int)zipped.len};
        buf_init(&plain, max_bytes + 1); /* one byte more shows that it is too large */
        if (inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
                return GRPC_FRAME_TOO_LARGE;
        }
        enum grpc_frame result = inflate_all(&z, &plain);
        inflateEnd(&z);
        if (result == GRPC_FRAME_WHOLE && plain.len > max_bytes) {
                result = GRPC_FRAME_TOO_LARGE;
        }
        if (result == GRPC_FRAME_WHOLE) {
                *out = (struct str){arena_strndup(arena, plain.data, plain.len), plain.len};
        }
        return result;
}

enum grpc_frame grpc_frame_unpack(struct arena *arena, struct str message, bool compressed, size_t max_bytes,
                                  struct str *out)
{
        if (compressed) {
                return unzip(arena, message, max_bytes, out);
        }
        *out = message;
        return message.len <= max_bytes ? GRPC_FRAME_WHOLE : GRPC_FRAME_TOO_LARGE;
}

enum grpc_frame grpc_frame_only(struct arena *arena, struct str bytes, bool gzip_allowed, struct str *out)
{
        bool compressed;
        struct str message;
        enum grpc_frame result = grpc_frame_read(bytes, &compressed, &message);
        if (result != GRPC_FRAME_WHOLE) {
                return result;
        }
        if (message.len + GRPC_PREFIX_BYTES != bytes.len || (compressed && !gzip_allowed)) {
                return GRPC_FRAME_MALFORMED;
        }
        return grpc_frame_unpack(arena, message, compressed, GRPC_MESSAGE_BYTES, out);
}

bool grpc_frame_write(const ProtobufCMessage *message, struct buf *out)
{
        size_t len = protobuf_c_message_get_packed_size(message);
        buf_init(out, GRPC_PREFIX_BYTES + GRPC_MESSAGE_BYTES);
        if (!buf_reserve(out, GRPC_PREFIX_BYTES + len)) {
                return false;
        }
        char prefix[GRPC_PREFIX_BYTES] = {0, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};
        memcpy(out->data, prefix, sizeof(prefix));
        out->len = GRPC_PREFIX_BYTES + protobuf_c_message_pack(message, (uint8_t *)out->data + GRPC_PREFIX_BYTES);
        return true;
}
