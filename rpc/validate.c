/* Validation: checks a message against the rules of its contract before a handler gets it. An empty proto3 value
 * means "not given" and is an error only if required; a oneof member that is set counts as given even if empty. */
#include "rpc/rpc.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "rpc/field_path.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "rpc/formats.h"

/* One value: a field, or an element of a list. */
struct value {
        const struct rpc_field *field;
        const struct field_path *path;
        void *at;
        bool given; /* counts even if empty: a list element or oneof member */
};

static sn_status validate_message(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *message,
                                  const struct field_path *path);

#define FAIL(v, ...) rpc_fail(c, SN_INVALID_ARGUMENT, field_path_text(c->arena, (v)->path), __VA_ARGS__)

static sn_status check_length(struct rpc_call *c, const struct value *v, size_t length, const char *unit)
{
        const struct rpc_field_rule *rule = &v->field->rule;
        if (rule->max_length != 0 && length > rule->max_length) {
                return FAIL(v, "must be at most %" PRIu32 " %s, has %zu", rule->max_length, unit, length);
        }
        if (length < rule->min_length) {
                return FAIL(v, "must be at least %" PRIu32 " %s, has %zu", rule->min_length, unit, length);
        }
        return SN_OK;
}

static sn_status check_format(struct rpc_call *c, const struct value *v, char *text, size_t len)
{
        switch (v->field->rule.format) {
        case FIELD_FORMAT_UUID:
                if (!uuid_valid(text)) {
                        return FAIL(v, "must be a UUID, like 01890a5d-ac96-774b-bcce-b302099a8057");
                }
                uuid_to_lowercase(text);
                return SN_OK;
        case FIELD_FORMAT_EMAIL:
                return format_is_email(text, len) ? SN_OK : FAIL(v, "must be an e-mail address, like ada@example.org");
        case FIELD_FORMAT_CURSOR:
                return format_is_cursor(text, len) ? SN_OK : FAIL(v, "must be a cursor from an earlier response");
        case FIELD_FORMAT_LINE:
                return text_is_one_line(text) ? SN_OK
                                              : FAIL(v, "must be a single line without control characters or "
                                                        "bidirectional text overrides");
        case FIELD_FORMAT_TEXT:
                return text_is_lines(text) ? SN_OK
                                           : FAIL(v, "must not contain control characters (line breaks and tabs "
                                                     "are allowed) or bidirectional text overrides");
        default:
                return SN_OK;
        }
}

static sn_status check_text(struct rpc_call *c, const struct value *v)
{
        char **text = v->at;
        if (*text == NULL) {
                *text = (char *)
                    protobuf_c_empty_string; /* callers in this process may leave it so; handlers never see NULL */
        }
        size_t len = strlen(*text);
        if (len == 0 && v->field->rule.required) {
                return FAIL(v, "is required");
        }
        if (len == 0 && !v->given) {
                return SN_OK;
        }
        TRY(check_length(c, v, utf8_length(*text, len), "characters"));
        TRY(check_format(c, v, *text, len));
        if (v->field->rule.pattern != NULL && !format_matches(v->field->rule.pattern, *text)) {
                return FAIL(v, "must match the pattern %s", v->field->rule.pattern);
        }
        return SN_OK;
}

static sn_status check_bytes(struct rpc_call *c, const struct value *v)
{
        const ProtobufCBinaryData *bytes = v->at;
        if (bytes->len == 0 && v->field->rule.required) {
                return FAIL(v, "is required");
        }
        return bytes->len == 0 && !v->given ? SN_OK : check_length(c, v, bytes->len, "bytes");
}

/* Whole numbers as int64; larger ones become the largest, which is outside every range. */
static int64_t read_integer(const struct value *v)
{
        switch (v->field->kind) {
        case KIND_I32:
        case KIND_ENUM:
                return *(const int32_t *)v->at;
        case KIND_U32:
                return *(const uint32_t *)v->at;
        case KIND_U64: {
                uint64_t number = *(const uint64_t *)v->at;
                return number > INT64_MAX ? INT64_MAX : (int64_t)number;
        }
        default:
                return *(const int64_t *)v->at;
        }
}

static sn_status check_integer(struct rpc_call *c, const struct value *v)
{
        const struct rpc_field_rule *rule = &v->field->rule;
        int64_t number = read_integer(v);
        if (number == 0 && !v->given) {
                return rule->required ? FAIL(v, "is required") : SN_OK;
        }
        if (rule->has_range && (number < rule->min || number > rule->max)) {
                return FAIL(v, "must be between %" PRId64 " and %" PRId64 ", is %" PRId64, rule->min, rule->max,
                            number);
        }
        return SN_OK;
}

static sn_status check_enum(struct rpc_call *c, const struct value *v)
{
        const struct rpc_enum *names = v->field->names;
        if (contract_enum_value(names, *(const int32_t *)v->at) == NULL) {
                return FAIL(v, "must be one of: %s", names->choices);
        }
        return check_integer(c, v);
}

static sn_status check_float(struct rpc_call *c, const struct value *v)
{
        double number = v->field->kind == KIND_FLOAT ? (double)*(const float *)v->at : *(const double *)v->at;
        if (number - number != 0) { /* infinite or NaN */
                return FAIL(v, "must be a finite number");
        }
        return number == 0 && v->field->rule.required && !v->given ? FAIL(v, "is required") : SN_OK;
}

static sn_status check_message(struct rpc_call *c, const struct value *v)
{
        ProtobufCMessage *message = *(ProtobufCMessage **)v->at;
        if (message == NULL) {
                return v->field->rule.required || v->given ? FAIL(v, "is required") : SN_OK;
        }
        return validate_message(c, v->field->message, message, v->path);
}

/* RFC 3339 and google.protobuf.Timestamp both end with the year 9999. */
static sn_status check_time(struct rpc_call *c, const struct value *v)
{
        const Google__Protobuf__Timestamp *time = *(Google__Protobuf__Timestamp *const *)v->at;
        if (time == NULL) {
                return v->field->rule.required || v->given ? FAIL(v, "is required") : SN_OK;
        }
        if (time->seconds < -62135596800 || time->seconds > 253402300799 || time->nanos < 0 ||
            time->nanos > 999999999) {
                return FAIL(v, "must be a time in the years 1 to 9999");
        }
        return SN_OK;
}

static sn_status check_nothing(struct rpc_call *c, const struct value *v)
{
        (void)c;
        (void)v;
        return SN_OK;
}

static sn_status (*const checks[KIND_COUNT])(struct rpc_call *c, const struct value *v) = {
    [KIND_I32] = check_integer, [KIND_U32] = check_integer,  [KIND_I64] = check_integer,     [KIND_U64] = check_integer,
    [KIND_FLOAT] = check_float, [KIND_DOUBLE] = check_float, [KIND_BOOL] = check_nothing,    [KIND_ENUM] = check_enum,
    [KIND_STRING] = check_text, [KIND_BYTES] = check_bytes,  [KIND_MESSAGE] = check_message, [KIND_TIME] = check_time,
};

/* Services in one process send each other what they read from their databases or what was already validated: a page
 * of a timeline has about two hundred IDs. */
static bool is_known_good(const struct rpc_call *c, const struct rpc_field *field)
{
        return c->from_process && field->kind == KIND_STRING && field->rule.format == FIELD_FORMAT_UUID;
}

/* Debug builds, and therefore all tests, check this. */
static void assert_known_good(char *const *ids, size_t n)
{
#ifndef NDEBUG
        for (size_t i = 0; i < n; i++) {
                assert(uuid_valid(ids[i]) && strpbrk(ids[i], "ABCDEF") == NULL);
        }
#else
        (void)ids;
        (void)n;
#endif
}

static sn_status check_list(struct rpc_call *c, const struct value *list, size_t n)
{
        char *elements = *(char **)list->at;
        if (n == 0 && list->field->rule.required) {
                return FAIL(list, "is required: give at least one");
        }
        if (list->field->rule.max_items != 0 && n > list->field->rule.max_items) {
                return FAIL(list, "must have at most %" PRIu32 " items, has %zu", list->field->rule.max_items, n);
        }
        if (is_known_good(c, list->field)) {
                assert_known_good(*(char ***)list->at, n);
                return SN_OK;
        }
        for (size_t i = 0; i < n; i++) {
                const struct field_path here = {list->path->parent, list->field->name, (long)i};
                const struct value element = {list->field, &here, elements + i * list->field->value_bytes, true};
                TRY(checks[list->field->kind](c, &element));
        }
        return SN_OK;
}

static sn_status check_field(struct rpc_call *c, ProtobufCMessage *message, const struct rpc_field *field,
                             const struct field_path *parent)
{
        const struct field_path here = {parent, field->name, -1};
        char *base = (char *)message;
        struct value v = {field, &here, base + field->offset, false};
        if (field->shape == SHAPE_LIST) {
                return check_list(c, &v, *(size_t *)(base + field->quantifier));
        }
        if (field->shape == SHAPE_ONEOF) {
                v.given = *(uint32_t *)(base + field->quantifier) == field->number;
                if (!v.given) {
                        return field->rule.required ? FAIL(&v, "is required") : SN_OK;
                }
        }
        return checks[field->kind](c, &v);
}

static sn_status validate_message(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *message,
                                  const struct field_path *path)
{
        for (uint32_t i = 0; i < type->n_fields; i++) {
                TRY(check_field(c, message, &type->fields[i], path));
        }
        return SN_OK;
}

sn_status rpc_validate(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *message)
{
        return validate_message(c, type, message, NULL);
}

/* Recursive messages: nothing deeper than this has other patterns. */
enum { PREPARED_DEPTH = 4 };

static void prepare_patterns(const struct rpc_message *type, int depth)
{
        for (uint32_t i = 0; type != NULL && i < type->n_fields; i++) {
                if (type->fields[i].rule.pattern != NULL) {
                        format_prepare(type->fields[i].rule.pattern);
                }
                if (depth > 1) {
                        prepare_patterns(type->fields[i].message, depth - 1);
                }
        }
}

void rpc_validate_prepare(const struct rpc_service *contract)
{
        for (size_t i = 0; i < contract->n_methods; i++) {
                prepare_patterns(contract->methods[i].in, PREPARED_DEPTH);
        }
}
