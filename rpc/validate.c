/* Validation: a message against the rules of its contract, before a handler sees it. An empty proto3 value means 'not
 * given' and only fails where it is required; a member of a oneof that is there was given, even when empty. */
#include "rpc/rpc.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "rpc/field_path.h"
#include "rpc/formats.h"

/* One value: a field, or an element of a list. */
struct value {
        const ProtobufCFieldDescriptor *field;
        const struct rpc_field_rule *rule;
        const struct field_path *path;
        void *at;
        bool given; /* counts even when it is empty: element or oneof member */
};

static sn_status validate_message(struct rpc_call *c, ProtobufCMessage *message, const struct field_path *path);

static const struct rpc_field_rule no_rule = {.max_length = 0};

#define FAIL(v, ...) rpc_fail(c, SN_INVALID_ARGUMENT, field_path_text(c->arena, (v)->path), __VA_ARGS__)

static sn_status check_length(struct rpc_call *c, const struct value *v, size_t length, const char *unit)
{
        const struct rpc_field_rule *rule = v->rule;
        if (rule->max_length != 0 && length > rule->max_length) {
                return FAIL(v, "must be at most %" PRIu32 " %s, has %zu", rule->max_length, unit, length);
        }
        if (length < rule->min_length) {
                return FAIL(v, "must be at least %" PRIu32 " %s, has %zu", rule->min_length, unit, length);
        }
        return SN_OK;
}

static void to_lowercase(char *uuid)
{
        for (; *uuid != '\0'; uuid++) {
                if (*uuid >= 'A' && *uuid <= 'F') { /* written only when needed: the text may be a constant */
                        *uuid = (char)(*uuid - 'A' + 'a');
                }
        }
}

static sn_status check_format(struct rpc_call *c, const struct value *v, char *text, size_t len)
{
        switch (v->rule->format) {
        case FIELD_FORMAT_UUID:
                if (!uuid_valid(text)) {
                        return FAIL(v, "must be a UUID, like 01890a5d-ac96-774b-bcce-b302099a8057");
                }
                to_lowercase(text);
                return SN_OK;
        case FIELD_FORMAT_EMAIL:
                return format_is_email(text, len) ? SN_OK : FAIL(v, "must be an e-mail address, like ada@example.org");
        case FIELD_FORMAT_CURSOR:
                return format_is_cursor(text, len) ? SN_OK : FAIL(v, "must be a cursor that an earlier answer gave");
        default:
                return SN_OK;
        }
}

static sn_status check_text(struct rpc_call *c, const struct value *v)
{
        char **text = v->at;
        if (*text == NULL) {
                *text = (char *)
                    protobuf_c_empty_string; /* callers within the process may leave it so; handlers never see NULL */
        }
        size_t len = strlen(*text);
        if (len == 0 && v->rule->required) {
                return FAIL(v, "is required");
        }
        if (len == 0 && !v->given) {
                return SN_OK;
        }
        TRY(check_length(c, v, utf8_length(*text, len), "characters"));
        TRY(check_format(c, v, *text, len));
        if (v->rule->pattern != NULL && !format_matches(v->rule->pattern, *text)) {
                return FAIL(v, "must match the pattern %s", v->rule->pattern);
        }
        return SN_OK;
}

static sn_status check_bytes(struct rpc_call *c, const struct value *v)
{
        const ProtobufCBinaryData *bytes = v->at;
        if (bytes->len == 0 && v->rule->required) {
                return FAIL(v, "is required");
        }
        return bytes->len == 0 && !v->given ? SN_OK : check_length(c, v, bytes->len, "bytes");
}

/* Whole numbers as int64; what is above it counts as the largest, which no range reaches past. */
static int64_t read_integer(const struct value *v)
{
        switch (v->field->type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_ENUM:
                return *(const int32_t *)v->at;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                return *(const uint32_t *)v->at;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64: {
                uint64_t number = *(const uint64_t *)v->at;
                return number > INT64_MAX ? INT64_MAX : (int64_t)number;
        }
        default:
                return *(const int64_t *)v->at;
        }
}

static sn_status check_integer(struct rpc_call *c, const struct value *v)
{
        const struct rpc_field_rule *rule = v->rule;
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

/* "VISIBILITY_ONLY_ME" of enum Visibility, as JSON says it: "only_me". */
static const char *short_value_name(struct arena *arena, const ProtobufCEnumDescriptor *d, const char *name)
{
        const char *p = name;
        for (const char *e = d->short_name; *e != '\0'; e++, p++) {
                if (e > d->short_name && isupper((unsigned char)*e) && !isupper((unsigned char)e[-1]) && *p == '_') {
                        p++;
                }
                if (toupper((unsigned char)*e) != *p) {
                        p = name;
                        break;
                }
        }
        char *out = arena_strdup(arena, p > name && *p == '_' ? p + 1 : name);
        for (char *q = out; *q != '\0'; q++) {
                *q = (char)tolower((unsigned char)*q);
        }
        return out;
}

static sn_status check_enum(struct rpc_call *c, const struct value *v)
{
        const ProtobufCEnumDescriptor *d = v->field->descriptor;
        const char *known = "";
        if (protobuf_c_enum_descriptor_get_value(d, *(const int32_t *)v->at) != NULL) {
                return check_integer(c, v);
        }
        for (unsigned i = 0; i < d->n_values; i++) {
                const char *name = short_value_name(c->arena, d, d->values[i].name);
                if (strcmp(name, "unspecified") != 0) { /* what 'not given' looks like */
                        known = arena_printf(c->arena, "%s%s%s", known, known[0] != '\0' ? ", " : "", name);
                }
        }
        return FAIL(v, "must be one of: %s", known);
}

static sn_status check_float(struct rpc_call *c, const struct value *v)
{
        double number =
            v->field->type == PROTOBUF_C_TYPE_FLOAT ? (double)*(const float *)v->at : *(const double *)v->at;
        if (number - number != 0) { /* infinite or no number at all */
                return FAIL(v, "must be a finite number");
        }
        return number == 0 && v->rule->required && !v->given ? FAIL(v, "is required") : SN_OK;
}

static sn_status check_message(struct rpc_call *c, const struct value *v)
{
        ProtobufCMessage *message = *(ProtobufCMessage **)v->at;
        if (message == NULL) {
                return v->rule->required || v->given ? FAIL(v, "is required") : SN_OK;
        }
        return validate_message(c, message, v->path);
}

static sn_status check_value(struct rpc_call *c, const struct value *v)
{
        switch (v->field->type) {
        case PROTOBUF_C_TYPE_STRING:
                return check_text(c, v);
        case PROTOBUF_C_TYPE_BYTES:
                return check_bytes(c, v);
        case PROTOBUF_C_TYPE_MESSAGE:
                return check_message(c, v);
        case PROTOBUF_C_TYPE_ENUM:
                return check_enum(c, v);
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
                return check_float(c, v);
        case PROTOBUF_C_TYPE_BOOL:
                return SN_OK;
        default:
                return check_integer(c, v);
        }
}

static size_t element_size(ProtobufCType type)
{
        switch (type) {
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_MESSAGE:
                return sizeof(void *);
        case PROTOBUF_C_TYPE_BYTES:
                return sizeof(ProtobufCBinaryData);
        case PROTOBUF_C_TYPE_BOOL:
                return sizeof(protobuf_c_boolean);
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_DOUBLE:
                return 8;
        default:
                return 4;
        }
}

static sn_status check_list(struct rpc_call *c, const struct value *list, size_t n)
{
        char *elements = *(char **)list->at;
        if (n == 0 && list->rule->required) {
                return FAIL(list, "is required: give at least one");
        }
        if (list->rule->max_items != 0 && n > list->rule->max_items) {
                return FAIL(list, "must have at most %" PRIu32 " items, has %zu", list->rule->max_items, n);
        }
        for (size_t i = 0; i < n; i++) {
                const struct field_path here = {list->path->parent, list->field->name, (long)i};
                const struct value element = {list->field, list->rule, &here,
                                              elements + i * element_size(list->field->type), true};
                TRY(check_value(c, &element));
        }
        return SN_OK;
}

static sn_status check_field(struct rpc_call *c, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                             const struct rpc_field_rule *rule, const struct field_path *parent)
{
        const struct field_path here = {parent, field->name, -1};
        char *base = (char *)message;
        struct value v = {field, rule, &here, base + field->offset, false};
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
                return check_list(c, &v, *(size_t *)(base + field->quantifier_offset));
        }
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
                v.given = *(uint32_t *)(base + field->quantifier_offset) == field->id;
                if (!v.given) {
                        return rule->required ? FAIL(&v, "is required") : SN_OK;
                }
        }
        return check_value(c, &v);
}

/* RFC 3339 ends with the year 9999, and google.protobuf.Timestamp with it. */
static sn_status check_timestamp(struct rpc_call *c, const ProtobufCMessage *message, const struct field_path *path)
{
        const ProtobufCFieldDescriptor *fields = message->descriptor->fields;
        int64_t seconds = *(const int64_t *)((const char *)message + fields[0].offset);
        int32_t nanos = *(const int32_t *)((const char *)message + fields[1].offset);
        if (seconds >= -62135596800 && seconds <= 253402300799 && nanos >= 0 && nanos <= 999999999) {
                return SN_OK;
        }
        return rpc_fail(c, SN_INVALID_ARGUMENT, path == NULL ? NULL : field_path_text(c->arena, path),
                        "must be a time in the years 1 to 9999");
}

static sn_status validate_message(struct rpc_call *c, ProtobufCMessage *message, const struct field_path *path)
{
        const ProtobufCMessageDescriptor *d = message->descriptor;
        const struct rpc_message_rules *rules = contract_rules(d);
        if (rules == NULL && strcmp(d->name, "google.protobuf.Timestamp") == 0) {
                return check_timestamp(c, message, path);
        }
        for (unsigned i = 0; i < d->n_fields; i++) {
                TRY(check_field(c, message, &d->fields[i], rules == NULL ? &no_rule : &rules->fields[i], path));
        }
        return SN_OK;
}

sn_status rpc_validate(struct rpc_call *c, ProtobufCMessage *message)
{
        return validate_message(c, message, NULL);
}
