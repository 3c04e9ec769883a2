/* Options: protobuf-c does not support extensions, so (sonet.service), (sonet.method) and (sonet.field) arrive as
 * unknown fields of the descriptor's options. */
#include "tools/gen.h"

#include <string.h>

enum { METHOD_TAG = 50100, FIELD_TAG = 50101, SERVICE_TAG = 50102 };

/* Skips the length prefix, which protobuf-c keeps in front of an unknown field's bytes. */
static size_t prefix_bytes(const ProtobufCMessageUnknownField *field)
{
        size_t i = 0;
        while (i < field->len && (field->data[i] & 0x80) != 0) {
                i++;
        }
        return i < field->len ? i + 1 : field->len;
}

/* The concatenated values of all fields with the tag: this merges options written in several places. */
static uint8_t *collect(const ProtobufCMessage *options, uint32_t tag, size_t *len)
{
        size_t total = 0;
        for (unsigned i = 0; i < options->n_unknown_fields; i++) {
                total += options->unknown_fields[i].len;
        }
        uint8_t *bytes = gen_alloc(total + 1);
        *len = 0;
        for (unsigned i = 0; i < options->n_unknown_fields; i++) {
                const ProtobufCMessageUnknownField *field = &options->unknown_fields[i];
                if (field->tag == tag && field->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
                        size_t skip = prefix_bytes(field);
                        memcpy(bytes + *len, field->data + skip, field->len - skip);
                        *len += field->len - skip;
                }
        }
        return bytes;
}

static void *pool_alloc(void *context, size_t bytes)
{
        (void)context;
        return gen_alloc(bytes);
}

static void pool_free(void *context, void *bytes)
{
        (void)context;
        (void)bytes;
}

static ProtobufCAllocator pool = {pool_alloc, pool_free, NULL};

static const void *decode(const ProtobufCMessage *options, uint32_t tag, const ProtobufCMessageDescriptor *descriptor)
{
        size_t len = 0;
        const uint8_t *bytes = options == NULL ? (const uint8_t *)"" : collect(options, tag, &len);
        return protobuf_c_message_unpack(descriptor, &pool, len, bytes);
}

const Sonet__ServiceOptions *gen_service_options(const Google__Protobuf__ServiceOptions *options)
{
        return decode(options == NULL ? NULL : &options->base, SERVICE_TAG, &sonet__service_options__descriptor);
}

const Sonet__MethodOptions *gen_method_options(const Google__Protobuf__MethodOptions *options)
{
        return decode(options == NULL ? NULL : &options->base, METHOD_TAG, &sonet__method_options__descriptor);
}

const Sonet__FieldOptions *gen_field_options(const Google__Protobuf__FieldOptions *options)
{
        return decode(options == NULL ? NULL : &options->base, FIELD_TAG, &sonet__field_options__descriptor);
}
