/* Owns the OpenAPI document: paths and operations here, schemas in openapi_schema.c. */
#include "gateway/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "gateway/openapi_responses.h"
#include "gateway/openapi_schema.h"
#include "gateway/openapi_write.h"

enum { MAX_ID = 128 };

struct document {
        struct buf *out;
        const struct rpc_service *const *services;
        size_t n_services;
        const struct gateway_page *pages;
        struct schema_set schemas;
};

/* Where REST puts a field of a request. */
enum location { IN_PATH, IN_QUERY, IN_HEADER, IN_BODY, NOWHERE };

static enum location location_of(const struct rpc_method *m, unsigned i)
{
        const struct rpc_field *field = &m->in->fields[i];
        if (schema_in_path(m->http_path, field->name)) {
                return IN_PATH;
        }
        if (field->rule.chunk || (m->answers_file && field == contract_conditions_field(m->in))) {
                return NOWHERE; /* the bytes themselves, or the conditions, which are standard headers of all files */
        }
        if (field->rule.header != NULL) {
                return IN_HEADER;
        }
        return contract_takes_body(m) && m->body != RPC_BODY_BYTES ? IN_BODY : IN_QUERY;
}

/* Counts the fields in the body, and the required ones among them. */
static unsigned fields_of_body(const struct rpc_method *m, unsigned *required)
{
        unsigned n = 0;
        *required = 0;
        for (unsigned i = 0; i < m->in->n_fields; i++) {
                if (location_of(m, i) == IN_BODY) {
                        n++;
                        *required += m->in->fields[i].rule.required;
                }
        }
        return n;
}

static bool has_json_body(const struct rpc_method *m)
{
        unsigned required;
        return m->body == RPC_BODY_MESSAGE && fields_of_body(m, &required) > 0;
}

/* --- parameters --- */

static void write_parameter(struct document *d, const struct rpc_method *m, unsigned i, enum location location)
{
        static const char *const names[] = {[IN_PATH] = "path", [IN_QUERY] = "query", [IN_HEADER] = "header"};
        const struct rpc_field *field = &m->in->fields[i];
        open_object(d->out);
        member_text(d->out, "name", location == IN_HEADER ? field->rule.header : field->name);
        member_text(d->out, "in", names[location]);
        member_text(d->out, "description", field->rule.doc);
        if (location == IN_PATH || field->rule.required) {
                write_key(d->out, "required");
                write_bool(d->out, true);
        }
        if (field->shape == SHAPE_LIST) { /* a,b,c */
                member_text(d->out, "style", "form");
                write_key(d->out, "explode");
                write_bool(d->out, false);
        }
        write_key(d->out, "schema");
        schema_write_field(d->out, &d->schemas, field);
        close_object(d->out);
}

static void refer_to_parameter(struct document *d, const char *reference)
{
        open_object(d->out);
        member_text(d->out, "$ref", reference);
        close_object(d->out);
}

static void write_parameters(struct document *d, const struct rpc_method *m)
{
        member_array(d->out, "parameters");
        for (unsigned i = 0; i < m->in->n_fields; i++) {
                enum location location = location_of(m, i);
                if (location < IN_BODY) {
                        write_parameter(d, m, i, location);
                }
        }
        if (m->idempotency == RPC_IDEMPOTENCY_KEY) {
                refer_to_parameter(d, "#/components/parameters/IdempotencyKey");
        }
        if (m->answers_file) {
                refer_to_parameter(d, "#/components/parameters/Range");
                refer_to_parameter(d, "#/components/parameters/IfRange");
                refer_to_parameter(d, "#/components/parameters/IfNoneMatch");
        }
        close_array(d->out);
}

/* --- bodies --- */

static void write_json_schema(struct document *d, const struct rpc_method *m)
{
        if (strchr(m->http_path, '{') != NULL) {
                schema_write_body(d->out, &d->schemas, m->in, m->http_path);
        } else {
                schema_reference(d->out, &d->schemas, m->in, true);
        }
}

static const char bytes_schema[] = "{\"type\":\"string\",\"format\":\"binary\"}";

/* The fields next to the file, each as a part. */
static void write_form_schema(struct document *d, const struct rpc_method *m)
{
        const char *file = contract_chunk_field(m->in)->name;
        open_object(d->out);
        member_text(d->out, "type", "object");
        member_object(d->out, "properties");
        for (unsigned i = 0; i < m->in->n_fields; i++) {
                if (location_of(m, i) == IN_BODY) {
                        write_key(d->out, m->in->fields[i].name);
                        schema_write_field(d->out, &d->schemas, &m->in->fields[i]);
                }
        }
        write_key(d->out, file);
        write_json(d->out, str_of(bytes_schema));
        close_object(d->out);
        member_array(d->out, "required");
        write_text(d->out, file);
        for (unsigned i = 0; i < m->in->n_fields; i++) {
                if (location_of(m, i) == IN_BODY && m->in->fields[i].rule.required) {
                        write_text(d->out, m->in->fields[i].name);
                }
        }
        close_array(d->out);
        close_object(d->out);
}

static void write_bytes_schema(struct document *d, const struct rpc_method *m)
{
        if (m->body_message != NULL) {
                schema_reference(d->out, &d->schemas, m->body_message, true);
        } else {
                write_json(d->out, str_of(bytes_schema));
        }
}

static void write_request_body(struct document *d, const struct rpc_method *m)
{
        static const char *const types[] = {[RPC_BODY_MESSAGE] = "application/json",
                                            [RPC_BODY_BYTES] = "application/octet-stream",
                                            [RPC_BODY_MULTIPART] = "multipart/form-data"};
        unsigned required;
        if (!has_json_body(m) && !contract_streams_body(m)) {
                return;
        }
        fields_of_body(m, &required);
        member_object(d->out, "requestBody");
        write_key(d->out, "required");
        write_bool(d->out, required > 0 || m->body == RPC_BODY_MULTIPART || m->body_message != NULL);
        member_object(d->out, "content");
        member_object(d->out, m->body_type != NULL ? m->body_type : types[m->body]);
        write_key(d->out, "schema");
        switch (m->body) {
        case RPC_BODY_MESSAGE:
                write_json_schema(d, m);
                break;
        case RPC_BODY_BYTES:
                write_bytes_schema(d, m);
                break;
        case RPC_BODY_MULTIPART:
                write_form_schema(d, m);
                break;
        }
        close_object(d->out);
        close_object(d->out);
        close_object(d->out);
}

/* --- operations --- */

/* Security: a member with the scope, or nothing. Public methods accept both; methods that ignore tokens have []. */
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
        responses_of_method(d->out, &d->schemas, m);
        write_security(d, m);
        close_object(d->out);
}

/* True if an earlier method has the same path: it wrote all operations of the path. */
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

/* "/.well-known/jwks.json" → "getWellKnownJwksJson" */
static void page_operation_id(const char *path, char id[MAX_ID])
{
        size_t n = (size_t)snprintf(id, MAX_ID, "get");
        bool first = true;
        for (const char *p = path; *p != '\0' && n + 1 < MAX_ID; p++) {
                if (isalnum((unsigned char)*p)) {
                        id[n++] = first ? (char)toupper((unsigned char)*p) : *p;
                }
                first = !isalnum((unsigned char)*p);
        }
        id[n] = '\0';
}

static void write_page(struct document *d, const struct gateway_page *page)
{
        char id[MAX_ID];
        page_operation_id(page->path, id);
        member_object(d->out, page->path);
        member_object(d->out, "get");
        member_text(d->out, "operationId", id);
        member_text(d->out, "summary", page->summary);
        member_array(d->out, "tags");
        write_text(d->out, "server");
        close_array(d->out);
        if (page->parameters != NULL) {
                write_key(d->out, "parameters");
                write_json(d->out, str_of(page->parameters));
        }
        responses_of_page(d->out, page);
        write_key(d->out, "security");
        write_json(d->out, page->streams ? STR("[{},{\"bearer\":[]}]") : STR("[]"));
        close_object(d->out);
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
        for (const struct gateway_page *page = d->pages; page->path != NULL; page++) {
                write_page(d, page);
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
        write_json(d->out, STR("{\"name\":\"server\",\"description\":\"The server itself.\"}"));
        close_array(d->out);
}

static const char head[] =
    "\"openapi\":\"3.1.0\",\"info\":{\"title\":\"SoNet\",\"version\":\"1\",\"license\":{\"name\":\"Apache-2.0\","
    "\"identifier\":\"Apache-2.0\"},"
    "\"description\":\"A social network that anyone can run. IDs are UUIDs, times are RFC 3339 in UTC, errors "
    "are application/problem+json (RFC 9457) "
    "with a stable code. A list returns next_cursor while there is more; pass it as cursor. For newer items, pass "
    "prev_cursor as after.\"},"
    "\"servers\":[{\"url\":\"";

static const char shared_parts[] =
    "\"parameters\":{\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\","
    "\"description\":\"Chosen by the client, one per operation: a retry with the same key and body gets the first "
    "answer.\","
    "\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"}},"
    "\"Range\":{\"name\":\"Range\",\"in\":\"header\",\"description\":\"One range of bytes, like bytes=100- (RFC 9110, "
    "14.2); several ranges are answered with the whole file.\",\"schema\":{\"type\":\"string\"}},"
    "\"IfRange\":{\"name\":\"If-Range\",\"in\":\"header\",\"description\":\"Apply Range only if this is still the "
    "entity "
    "tag.\",\"schema\":{\"type\":\"string\"}},"
    "\"IfNoneMatch\":{\"name\":\"If-None-Match\",\"in\":\"header\",\"description\":\"Entity tags of what the client "
    "has.\",\"schema\":{\"type\":\"string\"}}},"
    "\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\","
    "\"description\":\"The access_token of register, login or refresh.\"}}";

static void write_components(struct document *d)
{
        member_object(d->out, "components");
        member_object(d->out, "schemas");
        responses_write_problem_schema(d->out);
        schema_write_all(d->out, &d->schemas);
        close_object(d->out);
        responses_write_components(d->out);
        write_json(d->out, str_of(shared_parts));
        close_object(d->out);
}

/* Only referenced schemas: responses with a body, request bodies without path variables, and whatever they contain. */
static void collect_operations(struct document *d)
{
        for (size_t i = 0; i < d->n_services; i++) {
                for (size_t j = 0; j < d->services[i]->n_methods; j++) {
                        const struct rpc_method *m = &d->services[i]->methods[j];
                        if (m->http_path == NULL) {
                                continue;
                        }
                        if (m->success_status != 204 && !m->answers_file) {
                                schema_collect(&d->schemas, m->out, false);
                        }
                        for (unsigned k = 0; k < m->in->n_fields && has_json_body(m); k++) {
                                if (m->in->fields[k].kind == KIND_MESSAGE) {
                                        schema_collect(&d->schemas, m->in->fields[k].message, true);
                                }
                        }
                        if (m->body_message != NULL) {
                                schema_collect(&d->schemas, m->body_message, true);
                        }
                        if (has_json_body(m) && strchr(m->http_path, '{') == NULL) {
                                schema_collect(&d->schemas, m->in, true);
                        }
                }
        }
}

void openapi_render(struct buf *out, const struct rpc_service *const *services, size_t n,
                    const struct gateway_page *pages, size_t *url_at)
{
        struct document d = {out, services, n, pages, {NULL, 0, 0}};
        collect_operations(&d);
        open_object(out);
        write_json(out, str_of(head));
        *url_at = out->len;
        buf_append_c(out, "\",\"description\":\"This server.\"}]");
        write_tags(&d);
        write_paths(&d);
        write_components(&d);
        close_object(out);
        schema_set_free(&d.schemas);
}
