/* Owns schemas from descriptors and rules. How JSON shows empty and absent values follows json/json.h. */
#include "gateway/openapi_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gateway/openapi_write.h"

enum { MAX_NAME = 200, CURSOR_LENGTH = 512, EMAIL_LENGTH = 254 };

bool schema_in_path(const char *path, const char *name)
{
        size_t len = strlen(name);
        for (const char *p = strchr(path, '{'); p != NULL; p = strchr(p + 1, '{')) {
                if (strncmp(p + 1, name, len) == 0 && p[1 + len] == '}') {
                        return true;
                }
        }
        return false;
}

/* --- which messages, under which names --- */

static bool has_schema(const struct schema_set *set, const struct rpc_message *message, bool sent)
{
        for (size_t i = 0; i < set->n; i++) {
                if (set->uses[i].message == message && set->uses[i].sent == sent) {
                        return true;
                }
        }
        return false;
}

void schema_collect(struct schema_set *set, const struct rpc_message *message, bool sent)
{
        if (has_schema(set, message, sent)) {
                return;
        }
        if (set->n == set->capacity) {
                set->capacity = set->capacity == 0 ? 64 : 2 * set->capacity;
                set->uses = realloc(set->uses, set->capacity * sizeof(set->uses[0]));
                if (set->uses == NULL) {
                        fputs("sonet: out of memory\n", stderr);
                        abort();
                }
        }
        set->uses[set->n++] = (struct schema_use){message, sent};
        for (unsigned i = 0; i < message->n_fields; i++) {
                if (message->fields[i].kind == KIND_MESSAGE) {
                        schema_collect(set, message->fields[i].message, sent);
                }
        }
}

void schema_set_free(struct schema_set *set)
{
        free(set->uses);
        *set = (struct schema_set){NULL, 0, 0};
}

/* "sonet.note.v1.Note" → "note.Note"; "note.Note.input" for the request variant of a message that is also returned. */
static void name_of(const struct schema_set *set, const struct schema_use *use, char out[MAX_NAME])
{
        const char *name = use->message->descriptor->name, *version = NULL;
        if (strncmp(name, "sonet.", 6) == 0) {
                name += 6;
                version = strstr(name, ".v");
        }
        int first = version == NULL ? (int)strlen(name) : (int)(version - name);
        const char *rest = version == NULL ? "" : version + 2 + strspn(version + 2, "0123456789");
        snprintf(out, MAX_NAME, "%.*s%s%s", first, name, rest,
                 use->sent && has_schema(set, use->message, false) ? ".input" : "");
}

void schema_reference(struct buf *out, const struct schema_set *set, const struct rpc_message *message, bool sent)
{
        char name[MAX_NAME], reference[MAX_NAME + 32];
        name_of(set, &(struct schema_use){message, sent}, name);
        snprintf(reference, sizeof(reference), "#/components/schemas/%s", name);
        open_object(out);
        member_text(out, "$ref", reference);
        close_object(out);
}

/* --- fields --- */

struct field {
        const struct schema_set *set;
        const struct rpc_field *field;
        bool sent;
        bool nullable;
        bool element; /* of a list */
};

static void write_type(struct buf *out, const struct field *f, const char *type)
{
        write_key(out, "type");
        if (!f->nullable) {
                write_text(out, type);
                return;
        }
        open_array(out);
        write_text(out, type);
        write_text(out, "null");
        close_array(out);
}

/* An empty text means "not given" unless the field is required or an element: only then is the minimum length
 * certain. */
static int64_t least_length(const struct field *f)
{
        bool counts = f->sent && (f->field->rule.required || f->element || f->field->shape == SHAPE_ONEOF);
        return !counts || f->field->rule.format == FIELD_FORMAT_UUID ? 0
               : f->field->rule.min_length > 0                       ? f->field->rule.min_length
                                                                     : f->field->rule.required;
}

static void write_string(struct buf *out, const struct field *f)
{
        static const char *const formats[] = {NULL, "uuid", "idn-email", NULL, NULL, NULL};
        int64_t most = f->field->rule.max_length;
        if (most == 0 && f->sent) {
                most = f->field->rule.format == FIELD_FORMAT_EMAIL    ? EMAIL_LENGTH
                       : f->field->rule.format == FIELD_FORMAT_CURSOR ? CURSOR_LENGTH
                                                                      : 0;
        }
        write_type(out, f, "string");
        member_text(out, "format", formats[f->field->rule.format]);
        if (least_length(f) > 0) {
                member_number(out, "minLength", least_length(f));
        }
        if (most > 0) {
                member_number(out, "maxLength", most);
        }
        if (f->field->rule.pattern != NULL && f->sent &&
            strstr(f->field->rule.pattern, "[:") == NULL) { /* ECMA-262 has no POSIX classes */
                member_text(out, "pattern", f->field->rule.pattern);
        }
}

static void write_bytes(struct buf *out, const struct field *f)
{
        write_type(out, f, "string");
        member_text(out, "contentEncoding", "base64");
        if (f->field->rule.max_length > 0) {
                member_number(out, "maxLength", (int64_t)(f->field->rule.max_length + 2) / 3 * 4);
        }
}

static void write_integer(struct buf *out, const struct field *f)
{
        bool wide = f->field->kind == KIND_I64 || f->field->kind == KIND_U64;
        bool natural = f->field->kind == KIND_U32 || f->field->kind == KIND_U64;
        write_type(out, f, "integer");
        member_text(out, "format", wide || natural ? "int64" : "int32"); /* a uint32 does not fit an int32 */
        if (f->field->rule.has_range && f->sent) {
                member_number(out, "minimum", f->field->rule.min);
                member_number(out, "maximum", f->field->rule.max);
        } else if (natural) {
                member_number(out, "minimum", 0);
        }
}

static void write_enum(struct buf *out, const struct field *f)
{
        write_type(out, f, "string");
        member_array(out, "enum");
        for (size_t i = 0; i < f->field->names->n; i++) {
                if (!f->field->names->values[i].unspecified) {
                        write_json(out, f->field->names->values[i].quoted);
                }
        }
        if (f->nullable) {
                write_json(out, STR("null"));
        }
        close_array(out);
}

static void write_message_field(struct buf *out, const struct field *f)
{
        if (!f->nullable) {
                member_array(out, "allOf"); /* so that tools show the description next to it */
        } else {
                member_array(out, "anyOf");
        }
        schema_reference(out, f->set, f->field->message, f->sent);
        if (f->nullable) {
                write_json(out, STR("{\"type\":\"null\"}"));
        }
        close_array(out);
}

static void write_value(struct buf *out, const struct field *f)
{
        switch (f->field->kind) {
        case KIND_STRING:
                write_string(out, f);
                break;
        case KIND_BYTES:
                write_bytes(out, f);
                break;
        case KIND_ENUM:
                write_enum(out, f);
                break;
        case KIND_BOOL:
                write_type(out, f, "boolean");
                break;
        case KIND_FLOAT:
        case KIND_DOUBLE:
                write_type(out, f, "number");
                member_text(out, "format", f->field->kind == KIND_FLOAT ? "float" : "double");
                break;
        case KIND_TIME:
                write_type(out, f, "string");
                member_text(out, "format", "date-time");
                break;
        case KIND_MESSAGE:
                write_message_field(out, f);
                break;
        default:
                write_integer(out, f);
                break;
        }
}

static void write_list(struct buf *out, const struct field *list)
{
        struct field element = *list;
        element.element = true;
        element.nullable = false;
        write_type(out, list, "array");
        if (list->field->rule.required && list->sent) {
                member_number(out, "minItems", 1);
        }
        if (list->field->rule.max_items > 0) {
                member_number(out, "maxItems", list->field->rule.max_items);
        }
        write_key(out, "items");
        if (element.field->kind == KIND_MESSAGE) {
                schema_reference(out, list->set, list->field->message, list->sent);
                return;
        }
        open_object(out);
        write_value(out, &element);
        close_object(out);
}

/* Fields that are null in responses; clients leave them out instead. */
static bool is_nullable(const struct rpc_field *field, bool sent)
{
        if (sent || field->rule.required || field->rule.empty == FIELD_EMPTY_OMIT) {
                return false;
        }
        bool may_be_absent = field->shape == SHAPE_ONEOF ||
                             (field->shape == SHAPE_PLAIN && (field->kind == KIND_MESSAGE || field->kind == KIND_TIME));
        return field->rule.empty == FIELD_EMPTY_NULL || may_be_absent;
}

static void write_field(struct buf *out, const struct schema_set *set, const struct rpc_field *field, bool sent,
                        bool described)
{
        const struct field f = {set, field, sent, is_nullable(field, sent), false};
        open_object(out);
        if (field->shape == SHAPE_LIST) {
                write_list(out, &f);
        } else {
                write_value(out, &f);
        }
        if (described) {
                member_text(out, "description", field->rule.doc);
        }
        if (field->rule.secret) {
                member_text(out, "x-secret", "never logged");
        }
        close_object(out);
}

void schema_write_field(struct buf *out, const struct schema_set *set, const struct rpc_field *field)
{
        write_field(out, set, field, true, false); /* a parameter has its own description */
}

void schema_write_answer_field(struct buf *out, const struct schema_set *set, const struct rpc_field *field)
{
        write_field(out, set, field, false, true);
}

/* --- messages --- */

static void write_required(struct buf *out, const struct rpc_message *message, bool sent, const char *path)
{
        bool open = false;
        for (unsigned i = 0; i < message->n_fields; i++) {
                const struct rpc_field *field = &message->fields[i];
                if ((sent ? !field->rule.required : field->rule.empty == FIELD_EMPTY_OMIT) ||
                    schema_in_path(path, field->name)) {
                        continue;
                }
                if (!open) {
                        member_array(out, "required");
                        open = true;
                }
                write_text(out, field->name);
        }
        if (open) {
                close_array(out);
        }
}

static void write_message(struct buf *out, const struct schema_set *set, const struct rpc_message *message, bool sent,
                          const char *path)
{
        open_object(out);
        member_text(out, "type", "object");
        member_text(out, "description", message->doc);
        member_object(out, "properties");
        for (unsigned i = 0; i < message->n_fields; i++) {
                if (!schema_in_path(path, message->fields[i].name)) {
                        write_key(out, message->fields[i].name);
                        write_field(out, set, &message->fields[i], sent, true);
                }
        }
        close_object(out);
        write_required(out, message, sent, path);
        if (sent) { /* unknown fields are rejected in requests; responses may grow new ones */
                write_key(out, "additionalProperties");
                write_bool(out, false);
        }
        close_object(out);
}

void schema_write_body(struct buf *out, const struct schema_set *set, const struct rpc_message *message,
                       const char *path)
{
        write_message(out, set, message, true, path);
}

void schema_write_all(struct buf *out, const struct schema_set *set)
{
        for (size_t i = 0; i < set->n; i++) {
                char name[MAX_NAME];
                name_of(set, &set->uses[i], name);
                write_key(out, name);
                write_message(out, set, set->uses[i].message, set->uses[i].sent, "");
        }
}
