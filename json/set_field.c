/* Fields from text, as in paths and queries (already percent-decoded). */
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

#include "json/value.h"

/* "-12": digits only, no white space, no '+'. */
static const char *set_number(const struct rpc_field *f, void *member, struct str text)
{
        int64_t number;
        if (str_to_i64(text, &number)) {
                return value_set_i64(f, member, number);
        }
        uint64_t large = 0; /* only unsigned 64-bit fields continue beyond int64 */
        for (size_t i = 0; i < text.len; i++) {
                if (text.ptr[i] < '0' || text.ptr[i] > '9' || __builtin_mul_overflow(large, 10, &large) ||
                    __builtin_add_overflow(large, (uint64_t)(text.ptr[i] - '0'), &large)) {
                        return f->expected;
                }
        }
        return text.len == 0 ? f->expected : value_set_u64(f, member, large);
}

/* Decimal, as JSON writes numbers: no "inf", no hexadecimal. */
static const char *set_real(const struct rpc_field *f, void *member, struct str text)
{
        char copy[64];
        if (text.len == 0 || text.len >= sizeof(copy)) {
                return f->expected;
        }
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        char *end;
        double value = strspn(copy, "0123456789+-.eE") == text.len ? strtod(copy, &end) : (end = copy, 0);
        if (end != copy + text.len || value > 1.7976931348623157e308 || value < -1.7976931348623157e308) {
                return f->expected;
        }
        return value_set_double(f, member, value);
}

static const char *set_value(const struct rpc_field *f, struct arena *arena, void *member, struct str text)
{
        switch (f->kind) {
        case KIND_I32:
        case KIND_U32:
        case KIND_I64:
        case KIND_U64:
                return set_number(f, member, text);
        case KIND_FLOAT:
        case KIND_DOUBLE:
                return set_real(f, member, text);
        case KIND_BOOL:
                if (!str_equal_c(text, "true") && !str_equal_c(text, "false")) {
                        return f->expected;
                }
                *(protobuf_c_boolean *)member = str_equal_c(text, "true");
                return NULL;
        case KIND_MESSAGE:
                return "left out: objects are not allowed here";
        default:
                return value_set_text(f, arena, member, text);
        }
}

/* Room for one more element. The array doubles when its length is a power of two, so no capacity needs to be stored. */
static char *list_extend(const struct rpc_field *f, struct arena *arena, char *message)
{
        size_t *n = (size_t *)(message + f->quantifier);
        char **elements = (char **)(message + f->offset);
        if ((*n & (*n - 1)) == 0) { /* 0, 1, 2, 4 … */
                char *larger = arena_alloc_array(arena, *n == 0 ? 1 : *n * 2, f->value_bytes);
                if (*n > 0) {
                        memcpy(larger, *elements, *n * f->value_bytes);
                }
                *elements = larger;
        }
        return *elements + (*n)++ * f->value_bytes;
}

static sn_status fail_expected(struct rpc_call *c, const char *field, const char *expected)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", field, "must be %s", expected);
}

static sn_status set_list(struct rpc_call *c, const struct rpc_field *f, char *message, struct str value)
{
        bool more = value.len > 0;
        while (more) {
                const char *comma = memchr(value.ptr, ',', value.len);
                struct str item = {value.ptr, comma == NULL ? value.len : (size_t)(comma - value.ptr)};
                char *member = list_extend(f, c->arena, message);
                const char *expected =
                    item.len == 0 ? "a list without empty elements" : set_value(f, c->arena, member, item);
                if (expected != NULL) {
                        size_t index = --*(size_t *)(message + f->quantifier);
                        return fail_expected(c, arena_printf(c->arena, "%s[%zu]", f->name, index), expected);
                }
                more = comma != NULL;
                value = more ? (struct str){comma + 1, value.len - item.len - 1} : value;
        }
        return SN_OK;
}

sn_status json_set_field(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *out, struct str name,
                         struct str value)
{
        const struct rpc_field *f = contract_field(type, name);
        if (f == NULL) {
                const char *shown = str_dup(c->arena, (struct str){name.ptr, name.len < 64 ? name.len : 64});
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", shown, "Unknown parameter.");
        }
        if (value.len > 0 && (memchr(value.ptr, '\0', value.len) != NULL || !utf8_valid(value.ptr, value.len))) {
                return fail_expected(c, f->name, "valid UTF-8 without NUL characters");
        }
        if (f->shape == SHAPE_LIST) {
                return set_list(c, f, (char *)out, value);
        }
        void *member;
        if (!value_claim(f, out, &member)) {
                return fail_expected(c, f->name, "left out, because another member of the same oneof is given");
        }
        const char *expected = set_value(f, c->arena, member, value);
        return expected == NULL ? SN_OK : fail_expected(c, f->name, expected);
}
