/* Plans are built at first use and published in a hash table that is only ever added to: readers take no lock, and of
 * two threads that build the same plan one throws its own away. */
#include "json/plan.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/out.h"

/* Far more than all contracts have messages and enums. */
enum { TABLE_SLOTS = 2048 };

/* A plan or an enum's names, with the descriptor that it is of. */
struct entry {
        const void *descriptor;
        void *value;
};

static _Atomic(struct entry *) table[TABLE_SLOTS];

static void *must_alloc(size_t bytes)
{
        void *result = calloc(1, bytes);
        if (result == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        return result;
}

static size_t slot_of(const void *descriptor)
{
        return (size_t)(((uintptr_t)descriptor >> 4) * 0x9e3779b97f4a7c15u >> 32) & (TABLE_SLOTS - 1);
}

static void *table_get(const void *descriptor)
{
        for (size_t i = slot_of(descriptor);; i = (i + 1) & (TABLE_SLOTS - 1)) {
                const struct entry *e = atomic_load_explicit(&table[i], memory_order_acquire);
                if (e == NULL) {
                        return NULL;
                }
                if (e->descriptor == descriptor) {
                        return e->value;
                }
        }
}

/* Gives the value that is in the table in the end: the given one, or that of a thread that was faster. */
static void *table_put(const void *descriptor, void *value)
{
        struct entry *own = must_alloc(sizeof(*own));
        *own = (struct entry){descriptor, value};
        size_t i = slot_of(descriptor);
        for (size_t tried = 0; tried < TABLE_SLOTS; tried++, i = (i + 1) & (TABLE_SLOTS - 1)) {
                struct entry *there = NULL;
                if (atomic_compare_exchange_strong(&table[i], &there, own)) {
                        return value;
                }
                if (there->descriptor == descriptor) {
                        free(own);
                        return there->value;
                }
        }
        fputs("sonet: too many message types\n", stderr);
        abort();
}

/* --- enums --- */

/* "NoteVisibility" → "NOTE_VISIBILITY_" */
static void upper_snake(const char *name, char *out, size_t size)
{
        size_t n = 0;
        for (const char *p = name; *p != '\0' && n + 3 < size; p++) {
                if (isupper((unsigned char)*p) && p > name && islower((unsigned char)p[-1])) {
                        out[n++] = '_';
                }
                out[n++] = (char)toupper((unsigned char)*p);
        }
        out[n++] = '_';
        out[n] = '\0';
}

static bool all_start_with(const ProtobufCEnumDescriptor *d, const char *prefix, size_t len)
{
        for (unsigned i = 0; i < d->n_values; i++) {
                if (strncmp(d->values[i].name, prefix, len) != 0 || d->values[i].name[len] == '\0') {
                        return false;
                }
        }
        return true;
}

/* The enum's own name when all values carry it, as the style guide of protobuf asks; else what they have in common up
 * to a '_'. */
static size_t prefix_length(const ProtobufCEnumDescriptor *d)
{
        char own[128];
        upper_snake(d->short_name, own, sizeof(own));
        if (all_start_with(d, own, strlen(own))) {
                return strlen(own);
        }
        if (d->n_values < 2) {
                return 0;
        }
        size_t best = 0;
        const char *first = d->values[0].name;
        for (size_t i = 0; first[i] != '\0'; i++) {
                if (first[i] == '_' && all_start_with(d, first, i + 1)) {
                        best = i + 1;
                }
        }
        return best;
}

static struct str quoted_lower(const char *name)
{
        size_t len = strlen(name);
        char *text = must_alloc(len + 3 + OUT_PADDING);
        text[0] = '"';
        for (size_t i = 0; i < len; i++) {
                text[i + 1] = (char)tolower((unsigned char)name[i]);
        }
        text[len + 1] = '"';
        return (struct str){text, len + 2};
}

static const struct json_enum *enum_of(const ProtobufCEnumDescriptor *d)
{
        struct json_enum *names = table_get(d);
        if (names != NULL) {
                return names;
        }
        names = must_alloc(sizeof(*names) + d->n_values * sizeof(names->values[0]));
        names->n = d->n_values;
        names->dense = true;
        size_t prefix = prefix_length(d);
        for (unsigned i = 0; i < d->n_values; i++) { /* protobuf-c sorts them by number */
                struct str quoted = quoted_lower(d->values[i].name + prefix);
                names->values[i] =
                    (struct json_enum_value){d->values[i].value, quoted, str_equal(quoted, STR("\"unspecified\""))};
                names->dense = names->dense && names->values[i].number == names->values[0].number + (int)i;
        }
        struct json_enum *published = table_put(d, names);
        if (published != names) {
                for (size_t i = 0; i < names->n; i++) {
                        free((char *)names->values[i].quoted.ptr);
                }
                free(names);
        }
        return published;
}

const struct json_enum_value *json_enum_find(const struct json_enum *names, int number)
{
        if (names->dense && names->n > 0) {
                int64_t index = (int64_t)number - names->values[0].number;
                return index >= 0 && index < (int64_t)names->n ? &names->values[index] : NULL;
        }
        for (size_t i = 0; i < names->n; i++) {
                if (names->values[i].number == number) {
                        return &names->values[i];
                }
        }
        return NULL;
}

/* --- fields --- */

static enum json_kind kind_of(const ProtobufCFieldDescriptor *f)
{
        switch (f->type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
                return KIND_I32;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                return KIND_U32;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
                return KIND_I64;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                return KIND_U64;
        case PROTOBUF_C_TYPE_FLOAT:
                return KIND_FLOAT;
        case PROTOBUF_C_TYPE_DOUBLE:
                return KIND_DOUBLE;
        case PROTOBUF_C_TYPE_BOOL:
                return KIND_BOOL;
        case PROTOBUF_C_TYPE_ENUM:
                return KIND_ENUM;
        case PROTOBUF_C_TYPE_STRING:
                return KIND_STRING;
        case PROTOBUF_C_TYPE_BYTES:
                return KIND_BYTES;
        case PROTOBUF_C_TYPE_MESSAGE:
                break;
        }
        const ProtobufCMessageDescriptor *message = f->descriptor;
        return strcmp(message->name, "google.protobuf.Timestamp") == 0 ? KIND_TIME : KIND_MESSAGE;
}

static size_t element_bytes_of(enum json_kind kind)
{
        switch (kind) {
        case KIND_I32:
        case KIND_U32:
        case KIND_ENUM:
                return sizeof(int32_t);
        case KIND_I64:
        case KIND_U64:
                return sizeof(int64_t);
        case KIND_FLOAT:
                return sizeof(float);
        case KIND_DOUBLE:
                return sizeof(double);
        case KIND_BOOL:
                return sizeof(protobuf_c_boolean);
        case KIND_BYTES:
                return sizeof(ProtobufCBinaryData);
        case KIND_STRING:
        case KIND_MESSAGE:
        case KIND_TIME:
                break;
        }
        return sizeof(void *);
}

static enum json_shape shape_of(const ProtobufCFieldDescriptor *f, enum json_kind kind)
{
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
                return SHAPE_REPEATED;
        }
        if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
                return SHAPE_ONEOF;
        }
        if (kind == KIND_MESSAGE || kind == KIND_TIME) {
                return SHAPE_POINTER;
        }
        if (f->label == PROTOBUF_C_LABEL_OPTIONAL) {
                return kind == KIND_STRING ? SHAPE_POINTER : SHAPE_FLAG;
        }
        return SHAPE_PLAIN;
}

static struct str empty_text(const struct json_field *f)
{
        if (f->rule == FIELD_EMPTY_NULL || f->shape == SHAPE_ONEOF) {
                return STR("null");
        }
        if (f->shape == SHAPE_REPEATED) {
                return STR("[]");
        }
        switch (f->kind) {
        case KIND_STRING:
        case KIND_BYTES:
                return STR("\"\"");
        case KIND_BOOL:
                return STR("false");
        case KIND_ENUM: {
                const struct json_enum_value *zero = json_enum_find(f->names, 0);
                return zero == NULL ? STR("0") : zero->quoted;
        }
        case KIND_MESSAGE:
        case KIND_TIME:
                return STR("null");
        default:
                return STR("0");
        }
}

static struct str key_text(const char *name)
{
        size_t len = strlen(name) + 4;
        char *key = must_alloc(len + 1 + OUT_PADDING);
        snprintf(key, len + 1, ",\"%s\":", name);
        return (struct str){key, len};
}

static void plan_time(struct json_field *field)
{
        const ProtobufCFieldDescriptor *seconds =
            protobuf_c_message_descriptor_get_field_by_name(field->message, "seconds");
        const ProtobufCFieldDescriptor *nanos =
            protobuf_c_message_descriptor_get_field_by_name(field->message, "nanos");
        field->seconds_offset = seconds->offset;
        field->nanos_offset = nanos->offset;
}

/* An enum that was not given is null: "unspecified" is no choice. */
static bool may_be_unspecified(const struct json_field *field)
{
        const struct json_enum_value *zero =
            field->kind == KIND_ENUM && field->shape == SHAPE_PLAIN ? json_enum_find(field->names, 0) : NULL;
        return zero != NULL && zero->unspecified;
}

static void plan_range(struct json_field *field, const struct rpc_field_rule *rule)
{
        enum { TEXT_BYTES = 80 };
        char *text = must_alloc(TEXT_BYTES);
        snprintf(text, TEXT_BYTES, "a whole number from %" PRId64 " to %" PRId64, rule->min, rule->max);
        field->has_range = true;
        field->min = rule->min;
        field->max = rule->max;
        field->expected = text;
}

static void plan_field(struct json_field *field, const ProtobufCFieldDescriptor *f, const struct rpc_field_rule *rule)
{
        field->key = key_text(f->name);
        field->kind = kind_of(f);
        field->shape = shape_of(f, field->kind);
        field->rule = rule == NULL ? FIELD_EMPTY_SHOW : rule->empty;
        field->offset = f->offset;
        field->quantifier = f->quantifier_offset;
        field->number = f->id;
        field->element_bytes = element_bytes_of(field->kind);
        if (rule != NULL && rule->has_range) {
                plan_range(field, rule);
        }
        if (field->kind == KIND_ENUM) {
                field->names = enum_of(f->descriptor);
        } else if (field->kind == KIND_MESSAGE || field->kind == KIND_TIME) {
                field->message = f->descriptor;
        }
        if (field->kind == KIND_TIME) {
                plan_time(field);
        }
        if (may_be_unspecified(field) && field->rule == FIELD_EMPTY_SHOW) {
                field->rule = FIELD_EMPTY_NULL;
        }
        field->empty = empty_text(field);
}

static void plan_free(struct json_plan *plan)
{
        for (unsigned i = 0; i < plan->n_fields; i++) {
                free((char *)plan->fields[i].key.ptr);
                free((char *)plan->fields[i].expected);
        }
        free(plan);
}

const struct json_plan *json_plan_of(const ProtobufCMessageDescriptor *descriptor)
{
        struct json_plan *plan = table_get(descriptor);
        if (plan != NULL) {
                return plan;
        }
        const struct rpc_message_rules *rules = contract_rules(descriptor);
        plan = must_alloc(sizeof(*plan) + descriptor->n_fields * sizeof(plan->fields[0]));
        plan->descriptor = descriptor;
        plan->n_fields = descriptor->n_fields;
        for (unsigned i = 0; i < plan->n_fields; i++) {
                plan_field(&plan->fields[i], &descriptor->fields[i], rules == NULL ? NULL : &rules->fields[i]);
        }
        struct json_plan *published = table_put(descriptor, plan);
        if (published != plan) {
                plan_free(plan);
        }
        return published;
}

const struct json_plan *json_plan_child(const struct json_field *field)
{
        const struct json_plan *child = atomic_load_explicit(&field->child, memory_order_acquire);
        if (child == NULL) {
                child = json_plan_of(field->message);
                atomic_store_explicit(&((struct json_field *)field)->child, child, memory_order_release);
        }
        return child;
}
