/* Packs and unpacks messages in the call's arena. Bytes are scanned first, since protobuf-c trusts them. */
#include "rpc/rpc.h"

sn_status rpc_unpack(struct rpc_call *c, const struct rpc_message *type, const uint8_t *bytes, size_t len,
                     ProtobufCMessage **out)
{
        const ProtobufCMessageDescriptor *d = type->descriptor;
        TRY(rpc_scan(c, type, bytes, len));
        ProtobufCMessage *message = protobuf_c_message_unpack(d, arena_protobuf_allocator(c->arena), len, bytes);
        if (message == NULL) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_message", NULL,
                                     "the bytes are not a valid %s message", d->name);
        }
        if (arena_exhausted(c->arena)) {
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "message_too_large", NULL,
                                     "the message needs more memory than one call may use; send less at once");
        }
        *out = message;
        return SN_OK;
}

uint8_t *rpc_pack(struct arena *arena, const ProtobufCMessage *message, size_t *len)
{
        uint8_t *bytes = arena_alloc(arena, protobuf_c_message_get_packed_size(message) + 1);
        *len = protobuf_c_message_pack(message, bytes);
        return bytes;
}
