/* Scalars into members, with their limits. */
#include "json/value.h"

#include <math.h>
#include <string.h>

#include "json/base64.h"
#include "json/rfc3339.h"

const char *value_expected(const struct json_field *f)
{
        if (f->expected != NULL) {
                return f->expected;
        }
        switch (f->kind) {
        case KIND_I32:
                return "a whole number from -2147483648 to 2147483647";
        case KIND_U32:
                return "a whole number from 0 to 4294967295";
        case KIND_I64:
                return "a whole number from -9223372036854775808 to 9223372036854775807";
        case KIND_U64:
                return "a whole number from 0 to 18446744073709551615";
        case KIND_FLOAT:
        case KIND_DOUBLE:
                return "a number";
        case KIND_BOOL:
                return "true or false";
        case KIND_ENUM:
                return "one of the names that this field knows";
        case KIND_STRING:
                return "a string";
        case KIND_BYTES:
                return "a string in base64";
        case KIND_MESSAGE:
                return "an object";
        case KIND_TIME:
                break;
        }
        return "a time like \"2026-01-02T03:04:05.678Z\"";
}

/* Here and not only in rpc_validate, which cannot tell a 0 that was given from nothing. */
static bool in_range(const struct json_field *f, int64_t value)
{
        return !f->has_range || (value >= f->min && value <= f->max);
}

const char *value_set_i64(const struct json_field *f, void *member, int64_t value)
{
        if (!in_range(f, value)) {
                return value_expected(f);
        }
        switch (f->kind) {
        case KIND_I32:
                if (value < INT32_MIN || value > INT32_MAX) {
                        return value_expected(f);
                }
                *(int32_t *)member = (int32_t)value;
                return NULL;
        case KIND_I64:
                *(int64_t *)member = value;
                return NULL;
        case KIND_U32:
        case KIND_U64:
                return value < 0 ? value_expected(f) : value_set_u64(f, member, (uint64_t)value);
        case KIND_FLOAT:
        case KIND_DOUBLE:
                return value_set_double(f, member, (double)value);
        default:
                return value_expected(f);
        }
}

const char *value_set_u64(const struct json_field *f, void *member, uint64_t value)
{
        if (!in_range(f, value > INT64_MAX ? INT64_MAX : (int64_t)value)) { /* no range reaches past it */
                return value_expected(f);
        }
        switch (f->kind) {
        case KIND_U32:
                if (value > UINT32_MAX) {
                        return value_expected(f);
                }
                *(uint32_t *)member = (uint32_t)value;
                return NULL;
        case KIND_U64:
                *(uint64_t *)member = value;
                return NULL;
        default:
                return value > INT64_MAX ? value_expected(f) : value_set_i64(f, member, (int64_t)value);
        }
}

/* A whole number may be written as 1.0 or 1e3 (JSON Schema, and so OpenAPI, calls both integers), as far as doubles are
 * exact. */
const char *value_set_double(const struct json_field *f, void *member, double value)
{
        const double exact = 9007199254740992.0; /* 2^53 */
        switch (f->kind) {
        case KIND_FLOAT:
                if (!isfinite((float)value)) {
                        return value_expected(f);
                }
                *(float *)member = (float)value;
                return NULL;
        case KIND_DOUBLE:
                *(double *)member = value;
                return NULL;
        case KIND_I32:
        case KIND_U32:
        case KIND_I64:
        case KIND_U64:
                if (!(value >= -exact && value <= exact) || floor(value) != value) {
                        return value_expected(f);
                }
                return value_set_i64(f, member, (int64_t)value);
        default:
                return value_expected(f);
        }
}

static const char *set_enum(const struct json_field *f, void *member, struct str text)
{
        for (size_t i = 0; i < f->names->n; i++) {
                const struct json_enum_value *value = &f->names->values[i];
                struct str name = {value->quoted.ptr + 1, value->quoted.len - 2};
                if (!value->unspecified && str_equal(text, name)) {
                        *(int *)member = value->number;
                        return NULL;
                }
        }
        return value_expected(f);
}

static const char *set_bytes(const struct json_field *f, struct arena *arena, void *member, struct str text)
{
        ProtobufCBinaryData *bytes = member;
        uint8_t *data = arena_alloc(arena, 3 * ((text.len + 3) / 4) + 1);
        size_t len;
        if (!base64_decode(text.ptr, text.len, data, &len)) {
                return value_expected(f);
        }
        *bytes = (ProtobufCBinaryData){.len = len, .data = data};
        return NULL;
}

static const char *set_time(const struct json_field *f, struct arena *arena, void *member, struct str text)
{
        int64_t seconds;
        int32_t nanos;
        if (!rfc3339_parse(text, &seconds, &nanos)) {
                return value_expected(f);
        }
        char *timestamp = (char *)value_new_message(f->message, arena);
        *(int64_t *)(timestamp + f->seconds_offset) = seconds;
        *(int32_t *)(timestamp + f->nanos_offset) = nanos;
        *(void **)member = timestamp;
        return NULL;
}

const char *value_set_text(const struct json_field *f, struct arena *arena, void *member, struct str text)
{
        switch (f->kind) {
        case KIND_STRING:
                *(char **)member = str_dup(arena, text);
                return NULL;
        case KIND_BYTES:
                return set_bytes(f, arena, member, text);
        case KIND_ENUM:
                return set_enum(f, member, text);
        case KIND_TIME:
                return set_time(f, arena, member, text);
        default:
                return value_expected(f);
        }
}

bool value_claim(const struct json_field *f, void *message, void **member)
{
        char *base = message;
        if (f->shape == SHAPE_ONEOF) {
                unsigned *taken = (unsigned *)(base + f->quantifier);
                if (*taken != 0 && *taken != f->number) {
                        return false;
                }
                *taken = f->number;
        } else if (f->shape == SHAPE_FLAG) {
                *(protobuf_c_boolean *)(base + f->quantifier) = true;
        }
        *member = base + f->offset;
        return true;
}

ProtobufCMessage *value_new_message(const ProtobufCMessageDescriptor *descriptor, struct arena *arena)
{
        ProtobufCMessage *message = arena_alloc(arena, descriptor->sizeof_message);
        protobuf_c_message_init(descriptor, message);
        return message;
}
