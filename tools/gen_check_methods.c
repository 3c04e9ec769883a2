/* Checks of methods: routes, access, deadlines, rates, and the limits that all client input must have.
 */
#include "tools/gen.h"

#include <string.h>

#define TYPE(name)  GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name
#define LABEL(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_##name

#define REFUSE(...) gen_refuse(g, file, m->line, __VA_ARGS__)

static bool is_one_of(const char *text, const char *const *words)
{
        for (; *words != NULL; words++) {
                if (strcmp(text, *words) == 0) {
                        return true;
                }
        }
        return false;
}

static void check_access(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        static const char *const known[] = {"public",   "internal",   "read",      "write",
                                            "moderate", "administer", "analytics", NULL};
        const char *access = m->options->access;
        if (access[0] == '\0') {
                REFUSE("method %s has no access: set access: \"public\", \"internal\", \"read\", "
                       "\"write\", \"moderate\", \"administer\" or \"analytics\"",
                       m->proto->name);
        } else if (!is_one_of(access, known)) {
                REFUSE("method %s has the unknown access \"%s\": it must be \"public\", \"internal\", \"read\", "
                       "\"write\", "
                       "\"moderate\", \"administer\" or \"analytics\"",
                       m->proto->name, access);
        } else if (strcmp(access, "internal") == 0 && m->options->http[0] != '\0') {
                REFUSE("method %s is internal and cannot have a REST route", m->proto->name);
        } else if (m->options->step_up && (strcmp(access, "internal") == 0 || strcmp(access, "public") == 0)) {
                REFUSE("method %s requires a step-up, which only members can do: set a scope as access",
                       m->proto->name);
        }
}

static void check_challenge(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        if (m->options->challenge[0] != '\0' && m->challenge == NULL) {
                REFUSE("method %s has the challenge \"%s\", which is not a message: use its full name and import its "
                       "file",
                       m->proto->name, m->options->challenge);
        }
}

static void check_limits(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        const Sonet__MethodOptions *o = m->options;
        if (o->deadline_ms == 0) {
                REFUSE("method %s has no deadline: set deadline_ms", m->proto->name);
        }
        if (m->verb != NULL && strcmp(m->verb, "POST") == 0 && o->rate == SONET__RATE__RATE_NONE) {
                REFUSE("method %s is a POST without a rate: set rate: RATE_WRITE or RATE_AUTH", m->proto->name);
        }
        if (o->base.n_unknown_fields > 0 ||
            protobuf_c_enum_descriptor_get_value(&sonet__rate__descriptor, (int)o->rate) == NULL ||
            protobuf_c_enum_descriptor_get_value(&sonet__lane__descriptor, (int)o->lane) == NULL ||
            protobuf_c_enum_descriptor_get_value(&sonet__body__descriptor, (int)o->body) == NULL ||
            protobuf_c_enum_descriptor_get_value(&sonet__idempotency__descriptor, (int)o->idempotency) == NULL) {
                REFUSE("method %s uses an option that this generator does not know: rebuild it from "
                       "sonet/options.proto",
                       m->proto->name);
        }
}

static bool stands_in_headers(const struct gen_message *message)
{
        for (size_t i = 0; i < message->n_fields; i++) {
                if (message->fields[i].options->header[0] == '\0') {
                        return false;
                }
        }
        return true;
}

static bool has_headers(const struct gen_message *message)
{
        for (size_t i = 0; i < message->n_fields; i++) {
                if (message->fields[i].options->header[0] != '\0') {
                        return true;
                }
        }
        return false;
}

/* What is kept is found by the member and the URL. */
static bool may_be_kept(const struct gen_method *m)
{
        return m->verb != NULL && strcmp(m->verb, "GET") == 0 && !has_headers(m->in) && gen_find_secret(m->out) == NULL;
}

static void check_success(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        uint32_t status = m->options->success;
        if (status != 0 && status != 200 && status != 201 && status != 202 && status != 204) {
                REFUSE("method %s succeeds with %u: it must be 200, 201, 202 or 204", m->proto->name, (unsigned)status);
        } else if (status == 204 && !stands_in_headers(m->out)) {
                REFUSE("method %s succeeds with 204, which has no body: return google.protobuf.Empty, or a message "
                       "whose fields all have (sonet.field) = {header: …}",
                       m->proto->name);
        } else if (status != 204 && m->verb != NULL && strcmp(m->verb, "HEAD") == 0) {
                REFUSE("method %s handles HEAD, which has no body: set success: 204", m->proto->name);
        }
        if (m->options->empty_is_204 && (m->verb == NULL || status == 204)) {
                REFUSE("method %s cannot have empty_is_204: it is for REST routes whose response has a body",
                       m->proto->name);
        }
        if (m->options->quick &&
            (strcmp(m->options->access, "internal") != 0 || m->options->body != SONET__BODY__BODY_MESSAGE)) {
                REFUSE("method %s cannot be quick: that is for internal methods without a body; GET routes need not "
                       "say so",
                       m->proto->name);
        }
        if (m->options->kept && !may_be_kept(m)) {
                REFUSE("method %s cannot be kept: that is for GET routes without secrets in the response, and without "
                       "fields from headers",
                       m->proto->name);
        }
}

static const struct gen_field *find_field(const struct gen_message *message, const char *name, size_t len)
{
        for (size_t i = 0; i < message->n_fields; i++) {
                const char *field = message->fields[i].proto->name;
                if (strncmp(field, name, len) == 0 && field[len] == '\0') {
                        return &message->fields[i];
                }
        }
        return NULL;
}

static void check_variable(struct gen *g, const struct gen_file *file, const struct gen_method *m, const char *name,
                           size_t len)
{
        const struct gen_field *field = find_field(m->in, name, len);
        if (field == NULL) {
                REFUSE("path variable {%.*s} of method %s is not a field of %s", (int)len, name, m->proto->name,
                       m->in->full_name);
        } else if (field->type != NULL || field->proto->label == LABEL(REPEATED) || field->proto->has_oneof_index) {
                REFUSE("path variable {%.*s} of method %s must be one plain value", (int)len, name, m->proto->name);
        }
}

/* Segments are literals of unreserved characters, or one variable: anything else could not be matched or
 * percent-decoded unambiguously. */
static void check_path(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        for (const char *segment = m->path; segment != NULL; segment = strchr(segment, '/')) {
                size_t len = strcspn(++segment, "/");
                if (len > 2 && segment[0] == '{' && segment[len - 1] == '}' && strcspn(segment + 1, "{}") == len - 2) {
                        check_variable(g, file, m, segment + 1, len - 2);
                } else if (len == 0 ||
                           strspn(segment, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") !=
                               len) {
                        REFUSE("path \"%s\" of method %s is malformed: segments are words or one {variable}", m->path,
                               m->proto->name);
                        return;
                }
        }
}

static bool in_path(const char *path, const char *field)
{
        return strstr(path, gen_printf("{%s}", field)) != NULL;
}

static void check_query(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        for (size_t i = 0; i < m->in->n_fields; i++) {
                const struct gen_field *f = &m->in->fields[i];
                if (f->type != NULL && !gen_is_conditions(f) && !in_path(m->path, f->proto->name)) {
                        gen_refuse(g, m->in->file, f->line,
                                   "field \"%s\" is a message and cannot be in the query of %s", f->proto->name,
                                   m->proto->name);
                }
        }
}

static void check_route(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        static const char *const verbs[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
        if (m->options->http[0] == '\0') {
                return;
        }
        if (m->verb == NULL || !is_one_of(m->verb, verbs)) {
                REFUSE("route \"%s\" of method %s is malformed: write it like \"POST /v1/notes\"", m->options->http,
                       m->proto->name);
                return;
        }
        check_path(g, file, m);
        if (strcmp(m->verb, "GET") == 0 || strcmp(m->verb, "HEAD") == 0 || strcmp(m->verb, "DELETE") == 0 ||
            m->options->body != SONET__BODY__BODY_MESSAGE) {
                check_query(g, file, m);
        }
}

/* Whether a router would consider both the same: variables match regardless of their names. */
static bool same_path(const char *a, const char *b)
{
        while (*a != '\0' && *b != '\0') {
                if (*a == '{' && *b == '{') {
                        a += strcspn(a, "}");
                        b += strcspn(b, "}");
                }
                if (*a++ != *b++) {
                        return false;
                }
        }
        return *a == *b;
}

static void check_duplicate(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        for (size_t i = 0; i < g->n_files && m->verb != NULL; i++) {
                for (size_t j = 0; j < g->files[i].n_methods; j++) {
                        const struct gen_method *other = &g->files[i].methods[j];
                        if (other == m) {
                                return; /* the earlier ones have been compared */
                        }
                        if (other->verb != NULL && strcmp(m->verb, other->verb) == 0 &&
                            same_path(m->path, other->path)) {
                                REFUSE("method %s has the same route as %s: %s %s", m->proto->name, other->proto->name,
                                       m->verb, m->path);
                        }
                }
        }
}

/* All client input must have a limit. Cycles have already been rejected. */
static void check_request(struct gen *g, const struct gen_message *message, const struct gen_method *m)
{
        for (size_t i = 0; i < message->n_fields; i++) {
                const struct gen_field *f = &message->fields[i];
                bool text = f->proto->type == TYPE(STRING), bytes = f->proto->type == TYPE(BYTES);
                if ((text || bytes) && f->options->max_length == 0 && !f->options->chunk &&
                    f->options->format == SONET__FORMAT__FORMAT_NONE) {
                        gen_refuse(g, message->file, f->line,
                                   "field \"%s\" in a request (%s) has no length limit: add (sonet.field) = "
                                   "{max_length: …} or a format",
                                   f->proto->name, m->proto->name);
                }
                if (f->type != NULL) {
                        check_request(g, f->type, m);
                }
        }
}

const struct gen_field *gen_find_secret(const struct gen_message *message)
{
        for (size_t i = 0; i < message->n_fields; i++) {
                const struct gen_field *f = &message->fields[i];
                const struct gen_field *secret = f->options->secret ? f
                                                 : f->type != NULL  ? gen_find_secret(f->type)
                                                                    : NULL;
                if (secret != NULL) {
                        return secret;
                }
        }
        return NULL;
}

static void check_idempotency(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        const struct gen_field *secret = gen_find_secret(m->out);
        if (m->options->idempotency == SONET__IDEMPOTENCY__IDEMPOTENCY_KEY && secret != NULL) {
                REFUSE("method %s stores its response with an idempotency key, but \"%s\" in it is secret: use "
                       "IDEMPOTENCY_NONE",
                       m->proto->name, secret->proto->name);
        }
}

static void check_callees(struct gen *g, const struct gen_file *file, const char *option, size_t n, char *const *names)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(names[i], file->name) == 0) {
                        gen_refuse(g, file, file->service_line, "%s: \"%s\" is this service itself: remove it", option,
                                   names[i]);
                }
        }
}

static void check_service(struct gen *g, const struct gen_file *file)
{
        if (file->service != NULL) {
                const Sonet__ServiceOptions *o = file->service_options;
                check_callees(g, file, "calls", o->n_calls, o->calls);
                check_callees(g, file, "reads", o->n_reads, o->reads);
        }
}

void gen_check_methods(struct gen *g, struct gen_file *file)
{
        check_service(g, file);
        if (file->second_service_line > 0) {
                gen_refuse(g, file, file->second_service_line, "this file has %zu services: put each into its own file",
                           file->proto->n_service);
        }
        for (size_t i = 0; i < file->n_methods; i++) {
                const struct gen_method *m = &file->methods[i];
                check_access(g, file, m);
                check_challenge(g, file, m);
                check_limits(g, file, m);
                check_success(g, file, m);
                gen_check_streams(g, file, m);
                check_route(g, file, m);
                check_duplicate(g, file, m);
                gen_check_channel(g, file, m);
                if (!g->recursive) {
                        check_request(g, m->in, m);
                        if (m->body_message != NULL) {
                                check_request(g, m->body_message, m);
                        }
                        check_idempotency(g, file, m);
                }
        }
}
