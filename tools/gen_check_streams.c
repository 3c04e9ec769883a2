/* Checks of raw bodies and file responses: over gRPC they are streams, over REST bytes. */
#include "tools/gen.h"

#include <string.h>

#define TYPE(name)  GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name
#define LABEL(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_##name

#define REFUSE(...) gen_refuse(g, file, m->line, __VA_ARGS__)

static bool is_body_verb(const char *verb)
{
        return verb == NULL || strcmp(verb, "POST") == 0 || strcmp(verb, "PUT") == 0 || strcmp(verb, "PATCH") == 0;
}

static size_t count_chunks(const struct gen_message *message)
{
        size_t n = 0;
        for (size_t i = 0; i < message->n_fields; i++) {
                n += message->fields[i].options->chunk;
        }
        return n;
}

bool gen_is_conditions(const struct gen_field *field)
{
        return field->type != NULL && strcmp(field->type->full_name, "sonet.file.Conditions") == 0 &&
               field->proto->label != LABEL(REPEATED) && !field->proto->has_oneof_index;
}

static bool has_conditions(const struct gen_message *message)
{
        for (size_t i = 0; i < message->n_fields; i++) {
                if (gen_is_conditions(&message->fields[i])) {
                        return true;
                }
        }
        return false;
}

static void check_fields(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        bool is_json = m->options->body == SONET__BODY__BODY_MESSAGE && is_body_verb(m->verb);
        for (size_t i = 0; i < m->in->n_fields; i++) {
                const struct gen_field *f = &m->in->fields[i];
                if (f->options->chunk && (f->proto->type != TYPE(BYTES) || f->proto->label == LABEL(REPEATED) ||
                                          f->proto->has_oneof_index || f->options->required)) {
                        gen_refuse(g, m->in->file, f->line,
                                   "field \"%s\" is a chunk: it must be bytes, alone and not required", f->proto->name);
                } else if (f->options->header[0] != '\0' &&
                           (is_json || f->type != NULL || f->proto->label == LABEL(REPEATED))) {
                        gen_refuse(g, m->in->file, f->line,
                                   "field \"%s\" is read from a header: this requires a plain value and a request "
                                   "without a JSON body",
                                   f->proto->name);
                } else if (f->options->trailer &&
                           (f->options->header[0] == '\0' || m->options->body == SONET__BODY__BODY_MESSAGE)) {
                        gen_refuse(g, m->in->file, f->line,
                                   "field \"%s\" is a trailer: it needs a header, and the method needs BODY_BYTES",
                                   f->proto->name);
                }
        }
}

/* "Tus-Resumable: 1.0.0" */
static bool is_header(const char *text)
{
        size_t name = strcspn(text, ":");
        return name > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == name &&
               text[name] == ':' && text[name + 1] == ' ' && text[name + 2] > ' ' && strpbrk(text, "\r\n") == NULL;
}

/* Of "Name: $SETTING" it must be a number. */
static bool has_known_setting(const char *text)
{
        static const char *const numbers[] = {
#define SETTING_STRING(...)
#define SETTING_INT(field, variable, ...) variable,
#define SETTING_BOOL(...)
#define SETTING_CHOICE(...)
#include "base/settings.def.h"
        };
        const char *value = text + strcspn(text, ":") + 2;

        for (size_t i = 0; value[0] == '$' && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                if (strcmp(value + 1, numbers[i]) == 0) {
                        return true;
                }
        }
        return value[0] != '$';
}

static void check_headers(struct gen *g, const struct gen_file *file, const struct gen_method *m, size_t n,
                          char *const *headers)
{
        for (size_t i = 0; i < n; i++) {
                if (is_header(headers[i]) && !has_known_setting(headers[i])) {
                        REFUSE("method %s sets the header \"%s\": there is no such setting that is a number",
                               m->proto->name, headers[i]);
                }
                if (m->verb == NULL || !is_header(headers[i])) {
                        REFUSE("method %s sets the header \"%s\": write it like \"Name: value\", on a REST route",
                               m->proto->name, headers[i]);
                }
        }
}

static void check_answer_fields(struct gen *g, const struct gen_method *m)
{
        for (size_t i = 0; i < m->out->n_fields; i++) {
                const struct gen_field *f = &m->out->fields[i];
                bool is_time = f->type != NULL && strcmp(f->type->full_name, "google.protobuf.Timestamp") == 0;
                if (f->options->header[0] != '\0' && ((f->type != NULL && !is_time) || f->proto->type == TYPE(BYTES) ||
                                                      f->proto->label == LABEL(REPEATED) || f->options->secret)) {
                        gen_refuse(g, m->out->file, f->line,
                                   "field \"%s\" is sent in a header: only plain values and times are supported, and "
                                   "no secrets",
                                   f->proto->name);
                }
        }
}

static void check_body_message(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        bool given = m->options->body_message[0] != '\0', json = strcmp(m->options->body_type, "application/json") == 0;
        if (given != json) {
                REFUSE("method %s must have a body_message exactly if its body_type is \"application/json\"",
                       m->proto->name);
        } else if (given && m->body_message == NULL) {
                REFUSE(
                    "method %s has the body_message \"%s\", which is not a message: use its full name and import its "
                    "file",
                    m->proto->name, m->options->body_message);
        }
}

static void check_body(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        const Sonet__MethodOptions *o = m->options;
        bool has_body = o->body != SONET__BODY__BODY_MESSAGE;
        if (has_body != (bool)m->proto->client_streaming) {
                REFUSE("method %s must stream its requests exactly if its body is BODY_BYTES or BODY_MULTIPART",
                       m->proto->name);
        } else if (has_body != (count_chunks(m->in) == 1)) {
                REFUSE("method %s must have %s in %s", m->proto->name,
                       has_body ? "exactly one field with (sonet.field) = {chunk: true}" : "no chunk field",
                       m->in->full_name);
        }
        if (has_body && (o->max_body_bytes == 0 || o->max_body_bytes > INT64_MAX || o->stall_ms == 0)) {
                REFUSE("method %s takes a body without limits: set max_body_bytes and stall_ms", m->proto->name);
        } else if (!has_body && (o->max_body_bytes != 0 || o->stall_ms != 0 || o->partial)) {
                REFUSE("method %s takes no body: max_body_bytes, stall_ms and partial do not apply", m->proto->name);
        }
        if (o->body_type[0] != '\0' && o->body != SONET__BODY__BODY_BYTES) {
                REFUSE("method %s has a body_type: this requires BODY_BYTES", m->proto->name);
        }
        check_body_message(g, file, m);
        if (o->partial && o->body == SONET__BODY__BODY_MULTIPART) {
                REFUSE("method %s takes a form, which cannot be stored in part: partial requires BODY_BYTES",
                       m->proto->name);
        }
        if (has_body && (!is_body_verb(m->verb) || o->idempotency != SONET__IDEMPOTENCY__IDEMPOTENCY_NONE)) {
                REFUSE("method %s takes a body: it must be a POST, PUT or PATCH, without an idempotency key",
                       m->proto->name);
        }
}

static bool admits(const struct gen_method *by, const struct gen_method *m)
{
        return strcmp(by->proto->name, m->options->admission) == 0 &&
               strcmp(by->in->full_name, "sonet.body.AdmitRequest") == 0 &&
               strcmp(by->out->full_name, "google.protobuf.Empty") == 0 &&
               strcmp(by->options->access, m->options->access) == 0;
}

static void check_admission(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        bool found = false;
        for (size_t i = 0; i < file->n_methods; i++) {
                found = found || admits(&file->methods[i], m);
        }
        if (m->options->admission[0] != '\0' && (!found || m->options->body == SONET__BODY__BODY_MESSAGE)) {
                REFUSE("method %s has the admission %s: it must have a body, and the service must have the method "
                       "%s(sonet.body.AdmitRequest) with the same access, returning google.protobuf.Empty",
                       m->proto->name, m->options->admission, m->options->admission);
        }
}

static void check_override(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        bool replaces = m->verb != NULL && (strcmp(m->verb, "PATCH") == 0 || strcmp(m->verb, "PUT") == 0 ||
                                            strcmp(m->verb, "DELETE") == 0);
        if (m->options->method_override && !replaces) {
                REFUSE("method %s has method_override: this is for PUT, PATCH and DELETE", m->proto->name);
        }
}

static void check_answer(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        bool is_file = strcmp(m->out->full_name, "sonet.file.Chunk") == 0;
        if (is_file != (bool)m->proto->server_streaming) {
                REFUSE("method %s must return a stream exactly if it returns sonet.file.Chunk", m->proto->name);
        } else if (is_file && !has_conditions(m->in)) {
                REFUSE("method %s returns a file: add a field of type sonet.file.Conditions to %s", m->proto->name,
                       m->in->full_name);
        } else if (is_file && (m->proto->client_streaming || (m->verb != NULL && strcmp(m->verb, "GET") != 0) ||
                               m->options->success != 0 || m->options->empty_is_204)) {
                REFUSE("method %s returns a file: it must be a GET without a body, and without success and "
                       "empty_is_204",
                       m->proto->name);
        }
}

void gen_check_streams(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        check_fields(g, file, m);
        check_answer_fields(g, m);
        check_headers(g, file, m, m->options->n_headers, m->options->headers);
        check_headers(g, file, m, m->options->n_options_headers, m->options->options_headers);
        check_body(g, file, m);
        check_admission(g, file, m);
        check_override(g, file, m);
        check_answer(g, file, m);
}
