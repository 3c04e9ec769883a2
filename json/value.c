/* Scalars into members, with their limits. */
#include "json/value.h"

#include <math.h>
#include <string.h>

#include "json/base64.h"
#include "json/rfc3339.h"
#include "google/protobuf/timestamp.pb-c.h"

/* Here and not only in rpc_validate, which cannot tell an explicit 0 from an absent field. */
static bool in_range(const struct rpc_field *f, int64_t value)
{
        return !f->rule.has_range || (value >= f->rule.min && value <= f->rule.max);
}

const char *value_set_i64(const struct rpc_field *f, void *member, int64_t value)
{
        if (!in_range(f, value)) {
                return f->expected;
        }
        switch (f->kind) {
        case KIND_I32:
                if (value < INT32_MIN || value > INT32_MAX) {
                        return f->expected;
                }
                *(int32_t *)member = (int32_t)value;
                return NULL;
        case KIND_I64:
                *(int64_t *)member = value;
                return NULL;
        case KIND_U32:
        case KIND_U64:
                return value < 0 ? f->expected : value_set_u64(f, member, (uint64_t)value);
        case KIND_FLOAT:
        case KIND_DOUBLE:
                return value_set_double(f, member, (double)value);
        default:
                return f->expected;
        }
}

const char *value_set_u64(const struct rpc_field *f, void *member, uint64_t value)
{
        if (!in_range(f, value > INT64_MAX ? INT64_MAX : (int64_t)value)) { /* no range extends beyond it */
                return f->expected;
        }
        switch (f->kind) {
        case KIND_U32:
                if (value > UINT32_MAX) {
                        return f->expected;
                }
                *(uint32_t *)member = (uint32_t)value;
                return NULL;
        case KIND_U64:
                *(uint64_t *)member = value;
                return NULL;
        default:
                return value > INT64_MAX ? f->expected : value_set_i64(f, member, (int64_t)value);
        }
}

/* A whole number may be written as 1.0 or 1e3 (both are integers in JSON Schema, and so in OpenAPI), as long as
 * doubles are exact. */
const char *value_set_double(const struct rpc_field *f, void *member, double value)
{
        const double exact = 9007199254740992.0; /* 2^53 */
        switch (f->kind) {
        case KIND_FLOAT:
                if (!isfinite((float)value)) {
                        return f->expected;
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
                        return f->expected;
                }
                return value_set_i64(f, member, (int64_t)value);
        default:
                return f->expected;
        }
}

static const char *set_enum(const struct rpc_field *f, void *member, struct str text)
{
        for (size_t i = 0; i < f->names->n; i++) {
                const struct rpc_enum_value *value = &f->names->values[i];
                struct str name = {value->quoted.ptr + 1, value->quoted.len - 2};
                if (!value->unspecified && str_equal(text, name)) {
                        *(int *)member = value->number;
                        return NULL;
                }
        }
        return f->expected;
}

static const char *set_bytes(const struct rpc_field *f, struct arena *arena, void *member, struct str text)
{
        ProtobufCBinaryData *bytes = member;
        uint8_t *data = arena_alloc(arena, 3 * ((text.len + 3) / 4) + 1);
        size_t len;
        if (!base64_decode(text.ptr, text.len, data, &len)) {
                return f->expected;
        }
        *bytes = (ProtobufCBinaryData){.len = len, .data = data};
        return NULL;
}

static const char *set_time(const struct rpc_field *f, struct arena *arena, void *member, struct str text)
{
        int64_t seconds;
        int32_t nanos;
        if (!rfc3339_parse(text, &seconds, &nanos)) {
                return f->expected;
        }
        Google__Protobuf__Timestamp *timestamp = contract_new_message(f->message, arena);
        timestamp->seconds = seconds;
        timestamp->nanos = nanos;
        *(void **)member = timestamp;
        return NULL;
}

const char *value_set_text(const struct rpc_field *f, struct arena *arena, void *member, struct str text)
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
                return f->expected;
        }
}

bool value_claim(const struct rpc_field *f, void *message, void **member)
{
        char *base = message;
        if (f->shape == SHAPE_ONEOF) {
                unsigned *taken = (unsigned *)(base + f->quantifier);
                if (*taken != 0 && *taken != f->number) {
                        return false;
                }
                *taken = f->number;
        }
        *member = base + f->offset;
        return true;
}
