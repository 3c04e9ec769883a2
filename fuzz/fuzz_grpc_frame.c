/* Bytes → gRPC messages in frames, gzip, and body chunks. For all inputs, the result is within the input, limited in
 * size, and the same when parsed again. The first byte selects the field. */
#include <string.h>

#include "fuzz/must.h"
#include "rpc/grpc_chunk.h"
#include "rpc/grpc_wire.h"

enum { SMALL_BYTES = 4096 };

static bool is_within(struct str part, struct str whole)
{
        return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* The fields next to the chunk, and the chunk with a header that we write, are split into the same parts again. */
static void split(struct str message, uint32_t field)
{
        CLEANUP(buf_free) struct buf rest, again;
        struct str bytes, found;
        char head[GRPC_CHUNK_HEAD_BYTES];
        buf_init(&rest, message.len + 1);
        buf_init(&again, 2 * message.len + 2 * GRPC_CHUNK_HEAD_BYTES + 1);
        if (!grpc_chunk_split(message, field, &bytes, &rest)) {
                return;
        }
        MUST(is_within(bytes, message) && rest.len + bytes.len <= message.len && !rest.overflow);
        size_t len = grpc_chunk_head(field, bytes.len, head);
        MUST(len <= sizeof(head));
        buf_append(&again, head + GRPC_PREFIX_BYTES, len - GRPC_PREFIX_BYTES);
        buf_append(&again, bytes.ptr, bytes.len);
        buf_append(&again, rest.data, rest.len);
        size_t rest_len = rest.len;
        rest.len = 0;
        MUST(grpc_chunk_split((struct str){again.data, again.len}, field, &found, &rest));
        MUST(found.len == bytes.len && memcmp(found.ptr, bytes.ptr, bytes.len) == 0 && rest.len == rest_len);
}

static void unpack(struct arena *arena, struct str message, bool compressed)
{
        struct str plain;
        if (grpc_frame_unpack(arena, message, compressed, SMALL_BYTES, &plain) == GRPC_FRAME_WHOLE) {
                MUST(plain.len <= SMALL_BYTES);
                split(plain, 15);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0) {
                return 0;
        }
        CLEANUP(arena_free_p) struct arena *arena = arena_new(8 << 20);
        struct str bytes = {(const char *)data + 1, size - 1}, message, only;
        bool compressed;
        split(bytes, 1 + data[0]);
        unpack(arena, bytes, true);
        for (struct str rest = bytes; grpc_frame_read(rest, &compressed, &message) == GRPC_FRAME_WHOLE;) {
                MUST(is_within(message, rest) && message.len + GRPC_PREFIX_BYTES <= rest.len);
                unpack(arena, message, compressed);
                rest.ptr += GRPC_PREFIX_BYTES + message.len;
                rest.len -= GRPC_PREFIX_BYTES + message.len;
        }
        if (grpc_frame_only(arena, bytes, false, &only) == GRPC_FRAME_WHOLE) {
                MUST(only.len + GRPC_PREFIX_BYTES == bytes.len);
        }
        if (grpc_frame_only(arena, bytes, true, &only) == GRPC_FRAME_WHOLE) {
                MUST(only.len <= GRPC_MESSAGE_BYTES);
        }
        return 0;
}
