/* Checks of messages and fields: rejects what protobuf-c, the scan or the validation could not handle safely. */
#include "tools/gen.h"

#include <regex.h>
#include <stdarg.h>
#include <string.h>

#define TYPE(name)  GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name
#define LABEL(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_##name

enum { MAX_FIELDS = 128 }; /* of one message: rpc/scan.c keeps a counter for each on its stack */

void gen_refuse(struct gen *g, const struct gen_file *file, int line, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        fprintf(g->errors, "%s%s:%d: ", g->n_errors++ > 0 ? "\n" : "", file->proto->name, line);
        vfprintf(g->errors, format, args);
        va_end(args);
}

static bool is_number(const gen_field_proto *f)
{
        return f->type != TYPE(STRING) && f->type != TYPE(BYTES) && f->type != TYPE(MESSAGE) &&
               f->type != TYPE(GROUP) && f->type != TYPE(BOOL) && f->type != TYPE(ENUM) && f->type != TYPE(FLOAT) &&
               f->type != TYPE(DOUBLE);
}

static bool is_unsigned(const gen_field_proto *f)
{
        return f->type == TYPE(UINT32) || f->type == TYPE(UINT64) || f->type == TYPE(FIXED32) ||
               f->type == TYPE(FIXED64);
}

static bool is_our_own(const struct gen_message *type)
{
        return strncmp(type->full_name, "google.protobuf.", 16) != 0;
}

static bool well_known(const struct gen_message *type)
{
        return strcmp(type->full_name, "google.protobuf.Timestamp") == 0 ||
               strcmp(type->full_name, "google.protobuf.Empty") == 0;
}

#define REFUSE(...) gen_refuse(g, m->file, f->line, __VA_ARGS__)

static void check_shape(struct gen *g, const struct gen_message *m, const struct gen_field *f)
{
        const char *name = f->proto->name;
        if (f->type != NULL && f->type->is_map) {
                REFUSE("field \"%s\" is a map: use a repeated message with key and value", name);
        } else if (f->proto->type == TYPE(GROUP)) {
                REFUSE("field \"%s\" is a group: use a message", name);
        } else if (f->proto->label == LABEL(REQUIRED)) {
                REFUSE("field \"%s\" is `required` of proto2: write (sonet.field) = {required: true} in proto3", name);
        } else if (f->type != NULL && !is_our_own(f->type) && !well_known(f->type)) {
                REFUSE(
                    "field \"%s\" is a %s, which SoNet does not support: of google.protobuf only Timestamp and Empty "
                    "are supported",
                    name, f->type->full_name);
        } else if (f->proto->label == LABEL(REPEATED) && f->options->max_items == 0) {
                REFUSE("list \"%s\" has no limit: add (sonet.field) = {max_items: …}", name);
        } else if (f->proto->label != LABEL(REPEATED) && f->options->max_items != 0) {
                REFUSE("field \"%s\" is not a list: max_items does not apply", name);
        }
}

static void check_range(struct gen *g, const struct gen_message *m, const struct gen_field *f)
{
        if (f->options->range[0] == '\0') {
                return;
        }
        if (!f->has_range) {
                REFUSE("range \"%s\" of field \"%s\" is malformed: write it like \"0..100\", the smaller "
                       "number first",
                       f->options->range, f->proto->name);
        } else if (!is_number(f->proto)) {
                REFUSE("field \"%s\" is not a whole number: a range does not apply", f->proto->name);
        } else if (is_unsigned(f->proto) && f->min < 0) {
                REFUSE("range \"%s\" of field \"%s\" starts below zero, but its type is unsigned", f->options->range,
                       f->proto->name);
        }
}

static void check_pattern(struct gen *g, const struct gen_message *m, const struct gen_field *f)
{
        char reason[120];
        regex_t regex;
        if (f->options->pattern[0] == '\0') {
                return;
        }
        int failed = regcomp(&regex, f->options->pattern, REG_EXTENDED | REG_NOSUB);
        if (failed != 0) {
                regerror(failed, &regex, reason, sizeof(reason));
                REFUSE("pattern of field \"%s\" is not a POSIX extended regular expression: %s", f->proto->name,
                       reason);
                return;
        }
        regfree(&regex);
        if (f->proto->type != TYPE(STRING)) {
                REFUSE("field \"%s\" is not a string: a pattern does not apply", f->proto->name);
        }
}

static void check_lengths(struct gen *g, const struct gen_message *m, const struct gen_field *f)
{
        const Sonet__FieldOptions *o = f->options;
        bool text = f->proto->type == TYPE(STRING), bytes = f->proto->type == TYPE(BYTES);
        if ((o->min_length != 0 || o->max_length != 0) && !text && !bytes) {
                REFUSE("field \"%s\" is neither text nor bytes: a length does not apply", f->proto->name);
        } else if (o->max_length != 0 && o->min_length > o->max_length) {
                REFUSE("field \"%s\" has a min_length above its max_length", f->proto->name);
        } else if (o->format != SONET__FORMAT__FORMAT_NONE && !text) {
                REFUSE("field \"%s\" is not a string: a format does not apply", f->proto->name);
        }
}

static bool is_one_of(const struct gen_field *f, const char *value)
{
        if (f->names != NULL) {
                return gen_enum_has(f->names, value) && gen_enum_has(f->names, "unspecified") &&
                       strcmp(value, "unspecified") != 0;
        }
        return f->proto->type == TYPE(STRING) || strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
}

static void check_default(struct gen *g, const struct gen_message *m, const struct gen_field *f)
{
        const char *value = f->options->default_value;
        if (value[0] == '\0') {
                return;
        }
        if (f->proto->label == LABEL(REPEATED) ||
            (f->proto->type != TYPE(STRING) && f->proto->type != TYPE(BOOL) && f->names == NULL)) {
                REFUSE("field \"%s\" is not a string, an enum or a boolean: default_value does not apply",
                       f->proto->name);
        } else if (f->proto->type == TYPE(BOOL) && !f->proto->has_oneof_index) {
                REFUSE("field \"%s\" has a default_value, but its presence cannot be detected: put it into a oneof of "
                       "its own",
                       f->proto->name);
        } else if (!is_one_of(f, value)) {
                REFUSE("default_value \"%s\" is not a value of field \"%s\", or the enum has no \"unspecified\"", value,
                       f->proto->name);
        }
}

static void check_known_options(struct gen *g, const struct gen_message *m, const struct gen_field *f)
{
        const Sonet__FieldOptions *o = f->options;
        if (o->base.n_unknown_fields > 0 ||
            protobuf_c_enum_descriptor_get_value(&sonet__format__descriptor, (int)o->format) == NULL ||
            protobuf_c_enum_descriptor_get_value(&sonet__empty__descriptor, (int)o->empty) == NULL) {
                REFUSE("field \"%s\" uses an option that this generator does not know: rebuild it from "
                       "sonet/options.proto",
                       f->proto->name);
        }
}

/* Depth first: a message that occurs again on its own path contains itself, and protobuf-c would recurse to whatever
 * depth a sender chooses. */
static void check_recursion(struct gen *g, struct gen_message *m)
{
        m->colour = 1;
        for (size_t i = 0; i < m->n_fields; i++) {
                struct gen_message *type = (struct gen_message *)m->fields[i].type;
                if (type != NULL && type->colour == 1) {
                        g->recursive = true;
                        gen_refuse(g, m->file, m->fields[i].line,
                                   "message %s contains itself through field \"%s\": use IDs, or a second "
                                   "message without that field",
                                   type->full_name, m->fields[i].proto->name);
                } else if (type != NULL && type->colour == 0) {
                        check_recursion(g, type);
                }
        }
        m->colour = 2;
}

static void check_recursion_from(struct gen *g, const struct gen_message *m)
{
        if (m->colour == 0) {
                check_recursion(g, (struct gen_message *)m);
        }
}

static void check_size(struct gen *g, const struct gen_message *m)
{
        if (m->n_fields > MAX_FIELDS) {
                gen_refuse(g, m->file, m->line, "message %s has %zu fields: split it, the limit is %d", m->full_name,
                           m->n_fields, MAX_FIELDS);
        }
}

/* Third-party contracts cannot be changed, so only unsafe declarations in them are rejected. */
static void check_foreign(struct gen *g, const struct gen_file *file)
{
        for (struct gen_message *m = file->messages; m != NULL; m = m->next) {
                check_size(g, m);
                check_recursion_from(g, m);
        }
}

void gen_check_file(struct gen *g, struct gen_file *file)
{
        if (file->is_foreign) {
                check_foreign(g, file);
                return;
        }
        if (file->proto->syntax == NULL || strcmp(file->proto->syntax, "proto3") != 0) {
                gen_refuse(g, file, 1, "this file is proto2: start it with syntax = \"proto3\";");
        }
        if (file->proto->package == NULL) {
                gen_refuse(g, file, 1, "this file has no package: name it like sonet.note.v1");
                return;
        }
        for (struct gen_message *m = file->messages; m != NULL; m = m->next) {
                check_size(g, m);
                for (size_t i = 0; i < m->n_fields && !m->is_map; i++) {
                        check_known_options(g, m, &m->fields[i]);
                        check_shape(g, m, &m->fields[i]);
                        check_range(g, m, &m->fields[i]);
                        check_pattern(g, m, &m->fields[i]);
                        check_lengths(g, m, &m->fields[i]);
                        check_default(g, m, &m->fields[i]);
                }
                check_recursion_from(g, m);
        }
        for (size_t i = 0; i < file->n_methods; i++) {
                check_recursion_from(g, file->methods[i].in);
                check_recursion_from(g, file->methods[i].out);
        }
        gen_check_methods(g, file);
}
