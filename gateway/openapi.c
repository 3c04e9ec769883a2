/* The OpenAPI document: paths and operations here, schemas in openapi_schema.c. */
#include "gateway/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "gateway/openapi_schema.h"
#include "gateway/openapi_write.h"

enum { MAX_ID = 128 };

struct document {
        struct buf *out;
        const struct rpc_service *const *services;
        size_t n_services;
        struct schema_set schemas;
};

static const struct {
        int status;
        const char *name, *description;
} problems[] = {
    {400, "Malformed", "The request cannot be read: broken JSON, a bad escape, a forged cursor."},
    {401, "Unauthenticated", "There is no token, or it is no longer good."},
    {403, "Forbidden", "The token lacks the scope, or the member may not do this."},
    {404, "NotFound", "There is no such thing, or it is not for this reader."},
    {409, "Conflict", "It clashes with what is there, or the same idempotency key is at work."},
    {413, "TooLarge", "The body is over the limit."},
    {415, "UnsupportedMediaType", "The body is not application/json, or has a Content-Encoding."},
    {422, "Invalid", "A field breaks its rules; `field` names it. Or the idempotency key was used with another body."},
    {429, "TooManyRequests", "Too many requests; Retry-After says when to come back."},
    {503, "Unavailable", "The server is too busy or not complete; Retry-After says when to come back."},
    {504, "TimedOut", "It took too long; it may have been done nevertheless."},
};
#define N_PROBLEMS (sizeof(problems) / sizeof(problems[0]))

static bool takes_body(const struct rpc_method *m)
{
        return strcmp(m->http_verb, "POST") == 0 || strcmp(m->http_verb, "PUT") == 0 ||
               strcmp(m->http_verb, "PATCH") == 0;
}

/* Counts the fields outside the path, and those of them that are required. */
static unsigned fields_outside_path(const struct rpc_method *m, unsigned *required)
{
        unsigned n = 0;
        *required = 0;
        for (unsigned i = 0; i < m->in->n_fields; i++) {
                if (!schema_in_path(m->http_path, m->in->fields[i].name)) {
                        n++;
                        *required += schema_rule(m->in, i)->required;
                }
        }
        return n;
}

static bool has_body(const struct rpc_method *m)
{
        unsigned required;
        return takes_body(m) && fields_outside_path(m, &required) > 0;
}

/* --- parameters --- */

static void write_parameter(struct document *d, const struct rpc_method *m, unsigned i, bool in_path)
{
        const ProtobufCFieldDescriptor *field = &m->in->fields[i];
        const struct rpc_field_rule *rule = schema_rule(m->in, i);
        open_object(d->out);
        member_text(d->out, "name", field->name);
        member_text(d->out, "in", in_path ? "path" : "query");
        member_text(d->out, "description", rule->doc);
        if (in_path || rule->required) {
                write_key(d->out, "required");
                write_bool(d->out, true);
        }
        if (field->label == PROTOBUF_C_LABEL_REPEATED) { /* a,b,c */
                member_text(d->out, "style", "form");
                write_key(d->out, "explode");
                write_bool(d->out, false);
        }
        write_key(d->out, "schema");
        schema_write_field(d->out, &d->schemas, m->in, i);
        close_object(d->out);
}

static void write_parameters(struct document *d, const struct rpc_method *m)
{
        member_array(d->out, "parameters");
        for (unsigned i = 0; i < m->in->n_fields; i++) {
                bool in_path = schema_in_path(m->http_path, m->in->fields[i].name);
                if (in_path || !takes_body(m)) {
                        write_parameter(d, m, i, in_path);
                }
        }
        if (m->idempotency == RPC_IDEMPOTENCY_KEY) {
                open_object(d->out);
                member_text(d->out, "$ref", "#/components/parameters/IdempotencyKey");
                close_object(d->out);
        }
        close_array(d->out);
}

/* --- bodies --- */

static void write_request_body(struct document *d, const struct rpc_method *m)
{
        unsigned required;
        if (!has_body(m)) {
                return;
        }
        fields_outside_path(m, &required);
        member_object(d->out, "requestBody");
        write_key(d->out, "required");
        write_bool(d->out, required > 0);
        member_object(d->out, "content");
        member_object(d->out, "application/json");
        write_key(d->out, "schema");
        if (strchr(m->http_path, '{') != NULL) {
                schema_write_body(d->out, &d->schemas, m->in, m->http_path);
        } else {
                schema_reference(d->out, &d->schemas, m->in, true);
        }
        close_object(d->out);
        close_object(d->out);
        close_object(d->out);
}

static void reference_header(struct document *d, const char *header, const char *name)
{
        char reference[MAX_ID];
        snprintf(reference, sizeof(reference), "#/components/headers/%s", name);
        member_object(d->out, header);
        member_text(d->out, "$ref", reference);
        close_object(d->out);
}

static void write_success_headers(struct document *d, const struct rpc_method *m)
{
        member_object(d->out, "headers");
        reference_header(d, "X-Request-Id", "RequestId");
        if (strcmp(m->http_verb, "GET") == 0) {
                reference_header(d, "ETag", "ETag");
        }
        if (protobuf_c_message_descriptor_get_field_by_name(m->out, "next_cursor") != NULL) {
                reference_header(d, "Link", "Link");
        }
        close_object(d->out);
}

static void write_success(struct document *d, const struct rpc_method *m)
{
        char status[16];
        snprintf(status, sizeof(status), "%u", (unsigned)m->success_status);
        member_object(d->out, status);
        member_text(d->out, "description",
                    m->success_status == 201   ? "Created."
                    : m->success_status == 202 ? "Accepted."
                    : m->success_status == 204 ? "Done; there is nothing more to say."
                                               : "Done.");
        write_success_headers(d, m);
        if (m->success_status != 204) {
                member_object(d->out, "content");
                member_object(d->out, "application/json");
                write_key(d->out, "schema");
                schema_reference(d->out, &d->schemas, m->out, false);
                close_object(d->out);
                close_object(d->out);
        }
        close_object(d->out);
}

static bool problem_applies(const struct rpc_method *m, int status)
{
        switch (status) {
        case 403:
                return m->access == RPC_SCOPE;
        case 404:
                return strchr(m->http_path, '{') != NULL;
        case 409:
                return strcmp(m->http_verb, "GET") != 0;
        case 413:
        case 415:
                return takes_body(m); /* even where there is nothing to say */
        case 429:
                return m->rate != RPC_RATE_NONE;
        default:
                return true;
        }
}

static void write_responses(struct document *d, const struct rpc_method *m)
{
        member_object(d->out, "responses");
        write_success(d, m);
        for (size_t i = 0; i < N_PROBLEMS; i++) {
                if (problem_applies(m, problems[i].status)) {
                        char status[16], reference[MAX_ID];
                        snprintf(status, sizeof(status), "%d", problems[i].status);
                        snprintf(reference, sizeof(reference), "#/components/responses/%s", problems[i].name);
                        member_object(d->out, status);
                        member_text(d->out, "$ref", reference);
                        close_object(d->out);
                }
        }
        close_object(d->out);
}

/* --- operations --- */

/* Nobody, or a member with the scope; public methods take either, those that ignore tokens have []. */
static void write_security(struct document *d, const struct rpc_method *m)
{
        member_array(d->out, "security");
        if (m->access == RPC_PUBLIC && !contract_ignores_token(m)) {
                open_object(d->out);
                close_object(d->out);
        }
        if (!contract_ignores_token(m)) {
                open_object(d->out);
                member_array(d->out, "bearer");
                if (m->access == RPC_SCOPE) {
                        write_text(d->out, m->scope);
                }
                close_array(d->out);
                close_object(d->out);
        }
        close_array(d->out);
}

static void write_operation(struct document *d, const struct rpc_service *s, const struct rpc_method *m)
{
        char verb[16] = "", id[MAX_ID];
        for (size_t i = 0; m->http_verb[i] != '\0' && i + 1 < sizeof(verb); i++) {
                verb[i] = (char)tolower((unsigned char)m->http_verb[i]);
        }
        snprintf(id, sizeof(id), "%s%s", s->name, m->name); /* "noteCreateNote" */
        member_object(d->out, verb);
        member_text(d->out, "operationId", id);
        member_text(d->out, "summary", m->summary);
        member_text(d->out, "description", m->doc);
        member_array(d->out, "tags");
        write_text(d->out, s->name);
        close_array(d->out);
        write_parameters(d, m);
        write_request_body(d, m);
        write_responses(d, m);
        write_security(d, m);
        close_object(d->out);
}

/* True when an earlier method has the path: it has written all its operations. */
static bool path_written(const struct document *d, const struct rpc_method *until)
{
        for (size_t i = 0; i < d->n_services; i++) {
                for (size_t j = 0; j < d->services[i]->n_methods; j++) {
                        const struct rpc_method *m = &d->services[i]->methods[j];
                        if (m == until) {
                                return false;
                        }
                        if (m->http_path != NULL && strcmp(m->http_path, until->http_path) == 0) {
                                return true;
                        }
                }
        }
        return false;
}

static void write_path(struct document *d, const char *path)
{
        member_object(d->out, path);
        for (size_t i = 0; i < d->n_services; i++) {
                for (size_t j = 0; j < d->services[i]->n_methods; j++) {
                        const struct rpc_method *m = &d->services[i]->methods[j];
                        if (m->http_path != NULL && strcmp(m->http_path, path) == 0) {
                                write_operation(d, d->services[i], m);
                        }
                }
        }
        close_object(d->out);
}

static void write_paths(struct document *d)
{
        member_object(d->out, "paths");
        for (size_t i = 0; i < d->n_services; i++) {
                for (size_t j = 0; j < d->services[i]->n_methods; j++) {
                        const struct rpc_method *m = &d->services[i]->methods[j];
                        if (m->http_path != NULL && !path_written(d, m)) {
                                write_path(d, m->http_path);
                        }
                }
        }
        close_object(d->out);
}

/* --- the parts that do not depend on the contracts --- */

static void write_tags(struct document *d)
{
        member_array(d->out, "tags");
        for (size_t i = 0; i < d->n_services; i++) {
                if (d->services[i]->n_methods > 0) {
                        open_object(d->out);
                        member_text(d->out, "name", d->services[i]->name);
                        member_text(d->out, "description", d->services[i]->doc);
                        close_object(d->out);
                }
        }
        close_array(d->out);
}

static const char head[] =
    "\"openapi\":\"3.1.0\",\"info\":{\"title\":\"SoNet\",\"version\":\"1\",\"license\":{\"name\":\"Apache-2.0\","
    "\"identifier\":\"Apache-2.0\"},"
    "\"description\":\"A social network that anyone can run. Ids are UUIDs, times RFC 3339 in UTC, errors "
    "application/problem+json (RFC 9457) "
    "with a stable code. Lists answer next_cursor while there is more; hand it back as cursor.\"},"
    "\"servers\":[{\"url\":\"/\",\"description\":\"This server.\"}]";

static const char problem_schema[] =
    "\"Problem\":{\"type\":\"object\",\"description\":\"What went wrong (RFC 9457).\",\"properties\":{"
    "\"type\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
    "\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
    "\"detail\":{\"type\":\"string\",\"description\":\"One sentence for people.\"},"
    "\"code\":{\"type\":\"string\",\"description\":\"Stable, for programs: validation_failed, not_found, …\"},"
    "\"field\":{\"type\":\"string\",\"description\":\"The offending field, dotted.\"},"
    "\"instance\":{\"type\":\"string\",\"format\":\"uri-reference\",\"description\":\"Names the request in the "
    "server's log.\"}},"
    "\"required\":[\"type\",\"title\",\"status\",\"code\"]}";

static const char shared_parts[] =
    "\"parameters\":{\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\","
    "\"description\":\"Chosen by the client, for one intention: a repetition with the same key and body gets the first "
    "answer.\","
    "\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}}},"
    "\"headers\":{"
    "\"RequestId\":{\"description\":\"Names the request in the server's log.\",\"schema\":{\"type\":\"string\"}},"
    "\"RetryAfter\":{\"description\":\"Seconds to wait.\",\"schema\":{\"type\":\"integer\",\"minimum\":1}},"
    "\"WwwAuthenticate\":{\"description\":\"What was wrong with the token (RFC "
    "6750).\",\"schema\":{\"type\":\"string\"}},"
    "\"ETag\":{\"description\":\"Changes with the answer; for If-None-Match.\",\"schema\":{\"type\":\"string\"}},"
    "\"Link\":{\"description\":\"The next page, rel=\\\"next\\\" (RFC 8288).\",\"schema\":{\"type\":\"string\"}}},"
    "\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\","
    "\"description\":\"The access_token of register, login or refresh.\"}}";

static void write_problem_response(struct document *d, size_t i)
{
        int status = problems[i].status;
        member_object(d->out, problems[i].name);
        member_text(d->out, "description", problems[i].description);
        member_object(d->out, "headers");
        reference_header(d, "X-Request-Id", "RequestId");
        if (status == 429 || status == 503) {
                reference_header(d, "Retry-After", "RetryAfter");
        } else if (status == 401) {
                reference_header(d, "WWW-Authenticate", "WwwAuthenticate");
        }
        close_object(d->out);
        write_json(
            d->out,
            STR("\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}"));
        close_object(d->out);
}

static void write_components(struct document *d)
{
        member_object(d->out, "components");
        member_object(d->out, "schemas");
        write_json(d->out, str_of(problem_schema));
        schema_write_all(d->out, &d->schemas);
        close_object(d->out);
        member_object(d->out, "responses");
        for (size_t i = 0; i < N_PROBLEMS; i++) {
                write_problem_response(d, i);
        }
        close_object(d->out);
        write_json(d->out, str_of(shared_parts));
        close_object(d->out);
}

/* Only what is referred to: answers with a body, bodies without path variables, and what is inside either. */
static void collect(struct document *d)
{
        for (size_t i = 0; i < d->n_services; i++) {
                for (size_t j = 0; j < d->services[i]->n_methods; j++) {
                        const struct rpc_method *m = &d->services[i]->methods[j];
                        if (m->http_path == NULL) {
                                continue;
                        }
                        if (m->success_status != 204) {
                                schema_collect(&d->schemas, m->out, false);
                        }
                        for (unsigned k = 0; k < m->in->n_fields && has_body(m); k++) {
                                if (m->in->fields[k].type == PROTOBUF_C_TYPE_MESSAGE) {
                                        schema_collect(&d->schemas, m->in->fields[k].descriptor, true);
                                }
                        }
                        if (has_body(m) && strchr(m->http_path, '{') == NULL) {
                                schema_collect(&d->schemas, m->in, true);
                        }
                }
        }
}

void openapi_render(struct buf *out, const struct rpc_service *const *services, size_t n)
{
        struct document d = {out, services, n, {NULL, 0, 0}};
        collect(&d);
        open_object(out);
        write_json(out, str_of(head));
        write_tags(&d);
        write_paths(&d);
        write_components(&d);
        close_object(out);
        schema_set_free(&d.schemas);
}
