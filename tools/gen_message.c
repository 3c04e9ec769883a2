/* The message tables in <path>.rpc.c: constants about each field and each enum for JSON, database rows, validation and
 * the scan of packed bytes. */
#include "tools/gen.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TYPE(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name

enum {
        MAX_TYPE = 19,
        UNRULED_ITEMS = 1000,  /* elements of a list in a third-party contract, which declares no limit */
        CHUNK_BYTES = 64 << 10 /* RPC_CHUNK_BYTES */
};

/* By type, numbered as in descriptor.proto. */
static const struct {
        const char *kind, *c_type, *wire, *empty, *expected;
} types[MAX_TYPE] = {
#define WORDS_I32 "a whole number from -2147483648 to 2147483647"
#define WORDS_I64 "a whole number from -9223372036854775808 to 9223372036854775807"
#define WORDS_U32 "a whole number from 0 to 4294967295"
#define WORDS_U64 "a whole number from 0 to 18446744073709551615"
    [TYPE(DOUBLE)] = {"KIND_DOUBLE", "double", "64BIT", "0", "a number"},
    [TYPE(FLOAT)] = {"KIND_FLOAT", "float", "32BIT", "0", "a number"},
    [TYPE(INT64)] = {"KIND_I64", "int64_t", "VARINT", "0", WORDS_I64},
    [TYPE(UINT64)] = {"KIND_U64", "uint64_t", "VARINT", "0", WORDS_U64},
    [TYPE(INT32)] = {"KIND_I32", "int32_t", "VARINT", "0", WORDS_I32},
    [TYPE(FIXED64)] = {"KIND_U64", "uint64_t", "64BIT", "0", WORDS_U64},
    [TYPE(FIXED32)] = {"KIND_U32", "uint32_t", "32BIT", "0", WORDS_U32},
    [TYPE(BOOL)] = {"KIND_BOOL", "protobuf_c_boolean", "VARINT", "false", "true or false"},
    [TYPE(STRING)] = {"KIND_STRING", "char *", "LENGTH_PREFIXED", "\"\"", "a string"},
    [TYPE(MESSAGE)] = {"KIND_MESSAGE", "void *", "LENGTH_PREFIXED", "null", "an object"},
    [TYPE(BYTES)] = {"KIND_BYTES", "ProtobufCBinaryData", "LENGTH_PREFIXED", "\"\"", "a string in base64"},
    [TYPE(UINT32)] = {"KIND_U32", "uint32_t", "VARINT", "0", WORDS_U32},
    [TYPE(ENUM)] = {"KIND_ENUM", "int32_t", "VARINT", "0", NULL},
    [TYPE(SFIXED32)] = {"KIND_I32", "int32_t", "32BIT", "0", WORDS_I32},
    [TYPE(SFIXED64)] = {"KIND_I64", "int64_t", "64BIT", "0", WORDS_I64},
    [TYPE(SINT32)] = {"KIND_I32", "int32_t", "VARINT", "0", WORDS_I32},
    [TYPE(SINT64)] = {"KIND_I64", "int64_t", "VARINT", "0", WORDS_I64},
};

/* ---- Enums ---- */

typedef Google__Protobuf__EnumValueDescriptorProto enum_value;

static bool all_start_with(const struct gen_enum *e, const char *prefix, size_t len)
{
        for (size_t i = 0; i < e->n_values; i++) {
                const char *name = e->values[i]->name;
                if (strncmp(name, prefix, len) != 0 || name[len] == '\0') {
                        return false;
                }
        }
        return true;
}

/* The enum's own name if all values begin with it, as protobuf's style guide requires; otherwise their longest common
 * prefix up to a '_'. */
static size_t prefix_length(const struct gen_enum *e)
{
        const char *own = gen_printf("%s_", gen_upper(e->proto->name));
        if (all_start_with(e, own, strlen(own))) {
                return strlen(own);
        }
        const char *first = e->values[0]->name;
        size_t best = 0;
        for (size_t i = 0; first[i] != '\0' && e->n_values > 1; i++) {
                if (first[i] == '_' && all_start_with(e, first, i + 1)) {
                        best = i + 1;
                }
        }
        return best;
}

static const char *value_name(const struct gen_enum *e, const enum_value *value)
{
        char *name = gen_printf("%s", value->name + prefix_length(e));
        for (char *p = name; *p != '\0'; p++) {
                *p = (char)tolower((unsigned char)*p);
        }
        return name;
}

static bool is_unspecified(const struct gen_enum *e, const enum_value *value)
{
        return strcmp(value_name(e, value), "unspecified") == 0;
}

bool gen_enum_has(const struct gen_enum *e, const char *name)
{
        for (size_t i = 0; i < e->n_values; i++) {
                if (strcmp(value_name(e, e->values[i]), name) == 0) {
                        return true;
                }
        }
        return false;
}

static const char *choices_of(const struct gen_enum *e)
{
        const char *choices = "";
        for (size_t i = 0; i < e->n_values; i++) {
                if (!is_unspecified(e, e->values[i])) {
                        choices =
                            gen_printf("%s%s%s", choices, choices[0] != '\0' ? ", " : "", value_name(e, e->values[i]));
                }
        }
        return choices;
}

static bool is_dense(const struct gen_enum *e)
{
        for (size_t i = 0; i < e->n_values; i++) {
                if (e->values[i]->number != e->values[0]->number + (int32_t)i) {
                        return false;
                }
        }
        return true;
}

static const char *padded(const char *text)
{
        return gen_printf("RPC_PADDED(%s)", gen_string(text));
}

static void emit_enum(FILE *out, const struct gen_enum *e)
{
        const char *lower = gen_lower(e->full_name);
        fprintf(out, "static const struct rpc_enum_value %s_values[] = {\n", lower);
        for (size_t i = 0; i < e->n_values; i++) {
                const enum_value *value = e->values[i];
                fprintf(out, "        {%" PRId32 ", %s, %s},\n", value->number,
                        padded(gen_printf("\"%s\"", value_name(e, value))),
                        is_unspecified(e, value) ? "true" : "false");
        }
        fprintf(out, "};\nconst struct rpc_enum %s__names = {%s_values, %zu, %s, %s};\n\n", lower, lower, e->n_values,
                is_dense(e) ? "true" : "false", gen_string(choices_of(e)));
}

/* ---- Fields ---- */

static bool is_list(const struct gen_field *f)
{
        return f->proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED;
}

static const char *kind_of(const struct gen_field *f)
{
        return f->type != NULL && strcmp(f->type->full_name, "google.protobuf.Timestamp") == 0
                   ? "KIND_TIME"
                   : types[f->proto->type].kind;
}

/* An absent enum is null: "unspecified" is not a choice. */
static Sonet__Empty empty_of(const struct gen_field *f)
{
        bool plain = !is_list(f) && !f->proto->has_oneof_index;
        const enum_value *zero = plain && f->names != NULL ? gen_enum_zero(f->names) : NULL;
        return zero != NULL && is_unspecified(f->names, zero) && f->options->empty == SONET__EMPTY__EMPTY_SHOW
                   ? SONET__EMPTY__EMPTY_NULL
                   : f->options->empty;
}

static const char *empty_text(const struct gen_field *f)
{
        if (empty_of(f) == SONET__EMPTY__EMPTY_NULL || (f->proto->has_oneof_index && !is_list(f))) {
                return "null";
        }
        if (is_list(f)) {
                return "[]";
        }
        const enum_value *zero = f->names != NULL ? gen_enum_zero(f->names) : NULL;
        return zero != NULL ? gen_printf("\"%s\"", value_name(f->names, zero)) : types[f->proto->type].empty;
}

static const char *expected_of(const struct gen_field *f)
{
        if (f->has_range) {
                return gen_printf("a whole number from %" PRId64 " to %" PRId64, f->min, f->max);
        }
        if (f->names != NULL) {
                return gen_printf("one of: %s", choices_of(f->names));
        }
        return strcmp(kind_of(f), "KIND_TIME") == 0 ? "a time like \"2026-01-02T03:04:05.678Z\""
                                                    : types[f->proto->type].expected;
}

/* The struct member that indicates the field's presence. */
static const char *quantifier_of(const struct gen_message *m, const struct gen_field *f)
{
        if (is_list(f)) {
                return gen_printf("n_%s", gen_struct_member(f->proto->name));
        }
        return gen_printf("%s_case", gen_lower(m->proto->oneof_decl[f->proto->oneof_index]->name));
}

static void emit_place(FILE *out, const struct gen_message *m, const struct gen_field *f)
{
        const char *type = gen_camel(m->full_name);
        fprintf(out, ".number = %" PRId32 ", .offset = offsetof(%s, %s), .value_bytes = sizeof(%s)", f->proto->number,
                type, gen_struct_member(f->proto->name), types[f->proto->type].c_type);
        if (is_list(f) || f->proto->has_oneof_index) {
                fprintf(out, ", .quantifier = offsetof(%s, %s)", type, quantifier_of(m, f));
        }
        if (f->names != NULL) {
                fprintf(out, ", .names = &%s__names", gen_lower(f->names->full_name));
        }
        if (f->type != NULL) {
                fprintf(out, ", .message = &%s__message", gen_lower(f->type->full_name));
        }
}

/* ---- Rules ---- */

/* POSIX matching starts anywhere; our patterns match the whole text. */
static const char *anchored(const char *pattern)
{
        size_t len = strlen(pattern);
        if (len == 0) {
                return NULL;
        }
        if (pattern[0] == '^' && len > 1 && pattern[len - 1] == '$' && strchr(pattern, '|') == NULL) {
                return pattern;
        }
        return gen_printf("^(%s)$", pattern);
}

static void emit_limit(FILE *out, const char *member, uint32_t value)
{
        if (value != 0) {
                fprintf(out, ", .%s = %" PRIu32, member, value);
        }
}

/* C has no literal for the smallest int64. */
static const char *bound(int64_t value)
{
        return value == INT64_MIN ? "INT64_MIN" : gen_printf("INT64_C(%" PRId64 ")", value);
}

static void emit_rule(FILE *out, const struct gen_field *f)
{
        static const char *const formats[] = {"FIELD_FORMAT_NONE",   "FIELD_FORMAT_UUID", "FIELD_FORMAT_EMAIL",
                                              "FIELD_FORMAT_CURSOR", "FIELD_FORMAT_LINE", "FIELD_FORMAT_TEXT"};
        static const char *const empties[] = {"FIELD_EMPTY_SHOW", "FIELD_EMPTY_NULL", "FIELD_EMPTY_OMIT"};
        const Sonet__FieldOptions *o = f->options;
        fprintf(out, ".rule = {.format = %s, .empty = %s", formats[o->format], empties[empty_of(f)]);
        emit_limit(out, "min_length", o->min_length);
        emit_limit(out, "max_length", o->chunk && o->max_length == 0 ? CHUNK_BYTES : o->max_length);
        emit_limit(out, "max_items", is_list(f) && o->max_items == 0 ? UNRULED_ITEMS : o->max_items);
        if (f->has_range) {
                fprintf(out, ", .has_range = true, .min = %s, .max = %s", bound(f->min), bound(f->max));
        }
        fputs(o->required ? ", .required = true" : "", out);
        fputs(o->secret ? ", .secret = true" : "", out);
        if (anchored(o->pattern) != NULL) {
                fprintf(out, ", .pattern = %s", gen_string(anchored(o->pattern)));
        }
        fputs(o->chunk ? ", .chunk = true" : "", out);
        if (o->header[0] != '\0') {
                fprintf(out, ", .header = %s%s", gen_string(o->header), o->trailer ? ", .trailer = true" : "");
        }
        if (o->default_value[0] != '\0') {
                fprintf(out, ", .default_value = %s", gen_string(o->default_value));
        }
        if (f->doc != NULL) {
                fprintf(out, ", .doc = %s", gen_string(f->doc));
        }
        fputs("}", out);
}

static void emit_field(FILE *out, const struct gen_message *m, const struct gen_field *f)
{
        const char *name = f->proto->name;
        fprintf(out, "        {.name = \"%s\", .key = RPC_PADDED(\",\\\"%s\\\":\"), .empty = %s,\n", name, name,
                padded(empty_text(f)));
        fprintf(out, "         .expected = %s, .kind = %s, .shape = %s, .wire = PROTOBUF_C_WIRE_TYPE_%s,\n         ",
                gen_string(expected_of(f)), kind_of(f),
                is_list(f)                  ? "SHAPE_LIST"
                : f->proto->has_oneof_index ? "SHAPE_ONEOF"
                                            : "SHAPE_PLAIN",
                types[f->proto->type].wire);
        emit_place(out, m, f);
        fputs(",\n         ", out);
        emit_rule(out, f);
        fputs("},\n", out);
}

/* ---- Messages ---- */

static void emit_message(FILE *out, const struct gen_message *m)
{
        const char *lower = gen_lower(m->full_name), *fields = "NULL";
        if (m->n_fields > 0) {
                fields = gen_printf("%s_fields", lower);
                fprintf(out, "static const struct rpc_field %s[] = {\n", fields);
                for (size_t i = 0; i < m->n_fields; i++) {
                        emit_field(out, m, &m->fields[i]);
                }
                fputs("};\n", out);
        }
        fprintf(out,
                "const struct rpc_message %s__message = {.descriptor = &%s__descriptor, .fields = %s, .n_fields = %zu, "
                ".doc = %s};\n\n",
                lower, lower, fields, m->n_fields, gen_string(m->doc));
}

void gen_emit_messages(FILE *out, const struct gen_file *file)
{
        for (const struct gen_enum *e = file->enums; e != NULL; e = e->next) {
                emit_enum(out, e);
        }
        for (const struct gen_message *m = file->messages; m != NULL; m = m->next) {
                if (!m->is_map) {
                        emit_message(out, m);
                }
        }
}
