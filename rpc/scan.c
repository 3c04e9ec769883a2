/* Scans packed bytes before protobuf-c unpacks them. protobuf-c accepts invalid UTF-8, truncates strings at NUL,
 * recurses without limit, and allocates whatever is announced. After this scan, tags, lengths and wire types match
 * the descriptor (https://protobuf.dev/programming-guides/encoding/), text is UTF-8 without NUL, and lists are
 * within their limits. It is stricter than the format in one way: a singular field may appear only once, so that
 * different parsers cannot read different values. */
#include "rpc/rpc.h"

#include <string.h>

#include "rpc/field_path.h"

enum {
        MAX_DEPTH = 16,
        MAX_FIELDS = 128, /* of one message; enforced by the generator */
        MAX_UNKNOWN = 64, /* per message: a newer sender may know more fields than we do */
        MAX_TAG_BYTES = 5,
        MAX_VARINT_BYTES = 10,
};

struct bytes {
        const uint8_t *at, *end;
};

struct level {
        const struct rpc_message *type;
        const struct field_path *path; /* of this message; NULL: the outermost */
        int depth;
        uint32_t unknown;
        uint32_t seen[MAX_FIELDS]; /* how often each field appeared; elements of a list */
};

static sn_status scan_message(struct rpc_call *c, const struct rpc_message *type, struct bytes in,
                              const struct field_path *path, int depth);

static sn_status malformed(struct rpc_call *c, const struct field_path *path, const char *what)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_message",
                             path == NULL ? NULL : field_path_text(c->arena, path), "cannot decode the message: %s",
                             what);
}

static sn_status fail_scan(struct rpc_call *c, const struct field_path *path, const char *why)
{
        return rpc_fail(c, SN_INVALID_ARGUMENT, field_path_text(c->arena, path), "%s", why);
}

/* False if it does not end within max bytes of the input, or has more than 64 bits. */
static bool take_varint(struct bytes *in, int max, uint64_t *value)
{
        uint64_t result = 0;
        for (int i = 0; i < max && in->at < in->end; i++) {
                uint8_t byte = *in->at++;
                if (i == MAX_VARINT_BYTES - 1 && byte > 1) {
                        return false;
                }
                result |= (uint64_t)(byte & 0x7f) << (7 * i);
                if ((byte & 0x80) == 0) {
                        *value = result;
                        return true;
                }
        }
        return false;
}

static bool take_fixed(struct bytes *in, size_t n)
{
        bool enough = (size_t)(in->end - in->at) >= n;
        in->at += enough ? n : 0;
        return enough;
}

static bool take_block(struct bytes *in, struct bytes *block)
{
        uint64_t len;
        if (!take_varint(in, MAX_TAG_BYTES, &len) || len > (uint64_t)(in->end - in->at)) {
                return false;
        }
        *block = (struct bytes){in->at, in->at + len};
        in->at += len;
        return true;
}

/* The value of one field; block is only set for length-prefixed ones. */
static bool take_value(struct bytes *in, ProtobufCWireType wire, struct bytes *block)
{
        uint64_t ignored;
        switch (wire) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
                return take_varint(in, MAX_VARINT_BYTES, &ignored);
        case PROTOBUF_C_WIRE_TYPE_64BIT:
                return take_fixed(in, 8);
        case PROTOBUF_C_WIRE_TYPE_32BIT:
                return take_fixed(in, 4);
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
                return take_block(in, block);
        default:
                return false; /* groups are obsolete */
        }
}

/* Counts the numbers in a packed list. False if the last one is truncated. */
static bool count_packed(struct bytes block, ProtobufCWireType wire, uint64_t *count)
{
        struct bytes none;
        for (*count = 0; block.at < block.end; ++*count) {
                if (!take_value(&block, wire, &none)) {
                        return false;
                }
        }
        return true;
}

static sn_status count_items(struct rpc_call *c, struct level *level, size_t index, uint64_t more)
{
        const struct rpc_field *field = &level->type->fields[index];
        const struct field_path here = {level->path, field->name, -1};
        uint32_t allowed = field->rule.max_items;
        if (more > allowed || level->seen[index] > allowed - more) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, field_path_text(c->arena, &here), "must have at most %u items",
                                allowed);
        }
        level->seen[index] += (uint32_t)more;
        return SN_OK;
}

static sn_status count_single(struct rpc_call *c, struct level *level, size_t index)
{
        const struct rpc_field *fields = level->type->fields, *field = &fields[index];
        const struct field_path here = {level->path, field->name, -1};
        for (size_t i = 0; i < level->type->n_fields && field->shape == SHAPE_ONEOF; i++) {
                if (i != index && level->seen[i] > 0 && fields[i].shape == SHAPE_ONEOF &&
                    fields[i].quantifier == field->quantifier) {
                        return fail_scan(c, &here, "cannot be combined with another member of the same oneof");
                }
        }
        return level->seen[index]++ > 0 ? malformed(c, &here, "the field appears twice") : SN_OK;
}

static sn_status scan_text(struct rpc_call *c, struct bytes text, const struct field_path *path)
{
        size_t len = (size_t)(text.end - text.at);
        if (!utf8_valid((const char *)text.at, len)) {
                return fail_scan(c, path, "must be valid UTF-8");
        }
        return memchr(text.at, '\0', len) != NULL ? fail_scan(c, path, "must not contain NUL characters") : SN_OK;
}

static sn_status scan_block(struct rpc_call *c, const struct level *level, const struct rpc_field *field,
                            struct bytes block, long index)
{
        const struct field_path here = {level->path, field->name, index};
        if (field->kind == KIND_STRING) {
                return scan_text(c, block, &here);
        }
        if (field->message != NULL) {
                return scan_message(c, field->message, block, &here, level->depth + 1);
        }
        return SN_OK;
}

static sn_status scan_known(struct rpc_call *c, struct level *level, size_t index, ProtobufCWireType wire,
                            struct bytes *in)
{
        const struct rpc_field *field = &level->type->fields[index];
        const struct field_path here = {level->path, field->name, -1};
        ProtobufCWireType expected = field->wire;
        bool list = field->shape == SHAPE_LIST;
        bool packed =
            list && wire == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED && expected != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
        struct bytes block = {NULL, NULL};
        uint64_t items = 1;
        if (wire != expected && !packed) {
                return malformed(c, &here, "the field has the wrong wire type");
        }
        if (!take_value(in, wire, &block) || (packed && !count_packed(block, expected, &items))) {
                return malformed(c, &here, "truncated in the middle of the field");
        }
        TRY(list ? count_items(c, level, index, items) : count_single(c, level, index));
        return packed ? SN_OK : scan_block(c, level, field, block, list ? (long)level->seen[index] - 1 : -1);
}

static sn_status scan_unknown(struct rpc_call *c, struct level *level, ProtobufCWireType wire, struct bytes *in)
{
        struct bytes block;
        if (!take_value(in, wire, &block)) {
                return malformed(c, level->path,
                                 "truncated in the middle of an unknown field, or the field is a group");
        }
        return ++level->unknown > MAX_UNKNOWN ? malformed(c, level->path, "too many unknown fields") : SN_OK;
}

static sn_status scan_field(struct rpc_call *c, struct level *level, struct bytes *in)
{
        uint64_t tag;
        if (!take_varint(in, MAX_TAG_BYTES, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
                return malformed(c, level->path, "invalid field tag");
        }
        ProtobufCWireType wire = (ProtobufCWireType)(tag & 7);
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(level->type->descriptor, (unsigned)(tag >> 3));
        if (field == NULL) {
                return scan_unknown(c, level, wire, in);
        }
        return scan_known(c, level, (size_t)(field - level->type->descriptor->fields), wire, in);
}

static sn_status scan_message(struct rpc_call *c, const struct rpc_message *type, struct bytes in,
                              const struct field_path *path, int depth)
{
        struct level level;
        if (depth > MAX_DEPTH || type->n_fields > MAX_FIELDS) {
                return malformed(c, path, "nested too deeply");
        }
        level.type = type;
        level.path = path;
        level.depth = depth;
        level.unknown = 0;
        memset(level.seen, 0, type->n_fields * sizeof(level.seen[0])); /* the rest is not used */
        while (in.at < in.end) {
                TRY(scan_field(c, &level, &in));
        }
        return SN_OK;
}

sn_status rpc_scan(struct rpc_call *c, const struct rpc_message *type, const uint8_t *bytes, size_t len)
{
        if (len == 0) {
                return SN_OK;
        }
        return scan_message(c, type, (struct bytes){bytes, bytes + len}, NULL, 1);
}
