/* Owns which statuses an operation lists, and their headers. */
#include "gateway/openapi_responses.h"

#include <stdio.h>
#include <string.h>
#include "gateway/openapi_write.h"

enum { MAX_REFERENCE = 128, MAX_STATUS = 16, DEFAULT = 0 };

#define STEP_UP "StepUpRequired"

static const struct {
        int status;
        const char *name, *description; /* NULL: covered by "default" */
} problems[] = {
#define PROBLEM(status, code, component, description) {(status), (component), (description)},
#include "gateway/problem.def.h"
    {403, STEP_UP,
     "The token lacks the scope, or the member is not allowed to do this; or (`step_up_required`) they have not "
     "last "
     "authenticated within the last five minutes: call POST /v1/auth/step-up, then retry."},
    {DEFAULT, "Refused",
     "The HTTP request itself is rejected: too long, too large or too slow (408, 411, "
     "413, 414, 417, 431, 505)."},
};
#define N_PROBLEMS (sizeof(problems) / sizeof(problems[0]))

static const char problem_properties[] =
    "\"type\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
    "\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
    "\"detail\":{\"type\":\"string\",\"description\":\"One sentence for humans.\"},"
    "\"code\":{\"type\":\"string\",\"pattern\":\"^[a-z][a-z0-9_]*$\","
    "\"description\":\"Stable, for programs: validation_failed, not_found, and so on.\"},"
    "\"field\":{\"type\":\"string\",\"description\":\"The offending field, as a dotted path.\"},"
    "\"instance\":{\"type\":\"string\",\"format\":\"uri-reference\",\"description\":\"Identifies the request in the "
    "server's log.\"}";

static const char headers[] =
    "\"headers\":{"
    "\"RequestId\":{\"description\":\"Identifies the request in the server's log.\",\"required\":true,"
    "\"schema\":{\"type\":\"string\",\"maxLength\":64}},"
    "\"RateLimitPolicy\":{\"description\":\"How many requests of a class are allowed, and in how many seconds "
    "(draft-ietf-httpapi-ratelimit-headers-10). Not sent when limits are off.\","
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^\\\"[a-z]+\\\";q=[0-9]+;w=[0-9]+$\"}},"
    "\"RateLimit\":{\"description\":\"How many requests are left, and in how many seconds one more is allowed.\","
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^\\\"[a-z]+\\\";r=[0-9]+;t=[0-9]+$\"}},"
    "\"RetryAfter\":{\"description\":\"Seconds to wait.\",\"required\":true,"
    "\"schema\":{\"type\":\"integer\",\"minimum\":1}},"
    "\"RetryAfterWhenBusy\":{\"description\":\"Seconds to wait, if waiting helps.\","
    "\"schema\":{\"type\":\"integer\",\"minimum\":1}},"
    "\"WwwAuthenticate\":{\"description\":\"What was wrong with the token (RFC 6750).\",\"required\":true,"
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^Bearer \"}},"
    "\"ETag\":{\"description\":\"Changes with the response; for If-None-Match.\",\"required\":true,"
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^(W/)?\\\"[^\\\"]+\\\"$\"}},"
    "\"AcceptRanges\":{\"description\":\"Parts can be requested with Range.\",\"required\":true,"
    "\"schema\":{\"const\":\"bytes\"}},"
    "\"ContentRange\":{\"description\":\"Which part this is, of how many bytes; with status 416 only the total length, "
    "as there "
    "are.\",\"required\":true,"
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^bytes ([0-9]+-[0-9]+|[*])/[0-9]+$\"}},"
    "\"ContentDisposition\":{\"description\":\"Whether to display or save it, and under which name (RFC 6266).\","
    "\"schema\":{\"type\":\"string\"}},"
    "\"LastModified\":{\"description\":\"When it was created.\",\"schema\":{\"type\":\"string\"}},"
    "\"Link\":{\"description\":\"Older items, rel=\\\"next\\\", and newer ones, rel=\\\"prev\\\" (RFC "
    "8288).\",\"schema\":{\"type\":\"string\"}}}";

/* challenge: the message of further members of the method's problems; NULL: none. */
static void write_problem_schema(struct buf *out, const struct schema_set *schemas, const struct rpc_message *challenge)
{
        open_object(out);
        member_text(out, "type", "object");
        member_text(out, "description", challenge != NULL ? challenge->doc : "What went wrong (RFC 9457).");
        member_object(out, "properties");
        write_json(out, str_of(problem_properties));
        for (unsigned i = 0; challenge != NULL && i < challenge->n_fields; i++) {
                write_key(out, challenge->fields[i].name);
                schema_write_answer_field(out, schemas, &challenge->fields[i]);
        }
        close_object(out);
        write_key(out, "required");
        write_json(out, STR("[\"type\",\"title\",\"status\",\"code\",\"instance\"]"));
        close_object(out);
}

void responses_write_problem_schema(struct buf *out)
{
        write_key(out, "Problem");
        write_problem_schema(out, NULL, NULL);
}

static void reference(struct buf *out, const char *key, const char *kind, const char *name)
{
        char target[MAX_REFERENCE];
        snprintf(target, sizeof(target), "#/components/%s/%s", kind, name);
        member_object(out, key);
        member_text(out, "$ref", target);
        close_object(out);
}

static void open_status(struct buf *out, int status, const char *description)
{
        char text[MAX_STATUS];
        snprintf(text, sizeof(text), "%d", status);
        member_object(out, text);
        member_text(out, "description", description);
}

/* --- headers --- */

static void open_headers(struct buf *out)
{
        member_object(out, "headers");
        reference(out, "X-Request-Id", "headers", "RequestId");
}

static void rate_headers(struct buf *out)
{
        reference(out, "RateLimit-Policy", "headers", "RateLimitPolicy");
        reference(out, "RateLimit", "headers", "RateLimit");
}

static void file_headers(struct buf *out, int status)
{
        reference(out, "Accept-Ranges", "headers", "AcceptRanges");
        if (status == 206) {
                reference(out, "Content-Range", "headers", "ContentRange");
        }
        reference(out, "Content-Disposition", "headers", "ContentDisposition");
        reference(out, "Last-Modified", "headers", "LastModified");
}

/* A string: clients parse numbers and times from it. */
static void declared_header(struct buf *out, struct str name, const char *doc, const char *value)
{
        char key[MAX_REFERENCE];
        snprintf(key, sizeof(key), "%.*s", (int)name.len, name.ptr);
        member_object(out, key);
        member_text(out, "description", doc);
        member_object(out, "schema");
        if (value != NULL) {
                member_text(out, "const", value);
        } else {
                member_text(out, "type", "string");
        }
        close_object(out);
        close_object(out);
}

static void declared_headers(struct buf *out, const struct rpc_method *m)
{
        for (const char *const *h = m->headers; h != NULL && *h != NULL; h++) {
                size_t name = strcspn(*h, ":");
                declared_header(out, (struct str){*h, name}, NULL, *h + name + 2);
        }
        for (unsigned i = 0; i < m->out->n_fields && !m->answers_file; i++) {
                const struct rpc_field *field = &m->out->fields[i];
                if (field->rule.header != NULL) {
                        declared_header(out, str_of(field->rule.header), field->rule.doc, NULL);
                }
        }
}

static void success_headers(struct buf *out, const struct rpc_method *m, int status)
{
        open_headers(out);
        if (m->rate != RPC_RATE_NONE) {
                rate_headers(out);
        }
        if (strcmp(m->http_verb, "GET") == 0) {
                reference(out, "ETag", "headers", "ETag");
        }
        if (contract_field(m->out, STR("next_cursor")) != NULL) {
                reference(out, "Link", "headers", "Link");
        }
        if (m->answers_file && status != 304) {
                file_headers(out, status);
        }
        declared_headers(out, m);
        close_object(out);
}

static void problem_headers(struct buf *out, int status)
{
        open_headers(out);
        if (status != DEFAULT) {
                rate_headers(out);
        }
        if (status == 429 || status == 503) {
                reference(out, "Retry-After", "headers", "RetryAfter");
        } else if (status == 409) {
                reference(out, "Retry-After", "headers", "RetryAfterWhenBusy");
        } else if (status == 401) {
                reference(out, "WWW-Authenticate", "headers", "WwwAuthenticate");
        } else if (status == 416) {
                reference(out, "Content-Range", "headers", "ContentRange");
        }
        close_object(out);
}

/* --- methods --- */

static const char *success_text(unsigned status)
{
        return status == 201   ? "Created."
               : status == 202 ? "Accepted."
               : status == 206 ? "The requested part."
               : status == 204 ? "Done; the response has no body."
                               : "Done.";
}

static void write_success(struct buf *out, const struct schema_set *schemas, const struct rpc_method *m,
                          unsigned status)
{
        open_status(out, (int)status, success_text(status));
        success_headers(out, m, (int)status);
        if (status != 204) {
                member_object(out, "content");
                member_object(out, m->answers_file ? "*/*" : "application/json");
                write_key(out, "schema");
                if (m->answers_file) {
                        write_json(out, STR("{\"type\":\"string\",\"format\":\"binary\"}"));
                } else {
                        schema_reference(out, schemas, m->out, false);
                }
                close_object(out);
                close_object(out);
        }
        close_object(out);
}

static void write_not_modified(struct buf *out, const struct rpc_method *m)
{
        open_status(out, 304, "Unchanged since the response with this entity tag.");
        success_headers(out, m, 304);
        close_object(out);
}

static bool is_step_up(size_t i)
{
        return problems[i].name != NULL && strcmp(problems[i].name, STEP_UP) == 0;
}

static bool takes_headers(const struct rpc_method *m)
{
        for (unsigned i = 0; i < m->in->n_fields; i++) {
                if (m->in->fields[i].rule.header != NULL) {
                        return true;
                }
        }
        return false;
}

static bool problem_applies(const struct rpc_method *m, size_t i)
{
        switch (problems[i].status) {
        case 403:
                return m->access == RPC_SCOPE && m->step_up == is_step_up(i);
        case 404:
                return strchr(m->http_path, '{') != NULL;
        case 409:
                return strcmp(m->http_verb, "GET") != 0;
        case 412:
                return takes_headers(m); /* of a versioned protocol */
        case 460:
                return m->body == RPC_BODY_BYTES;
        case 507:
                return contract_streams_body(m);
        case 413:
        case 415:
                return contract_takes_body(m); /* even if no field is invalid */
        case 416:
                return m->answers_file;
        case 426:
                return false;
        case 429:
                return m->rate != RPC_RATE_NONE;
        default:
                return true;
        }
}

static void refer_to_problem(struct buf *out, size_t i)
{
        char status[MAX_STATUS];
        snprintf(status, sizeof(status), "%d", problems[i].status);
        reference(out, problems[i].status == DEFAULT ? "default" : status, "responses", problems[i].name);
}

static void write_challenge(struct buf *out, const struct schema_set *schemas, const struct rpc_method *m)
{
        open_status(out, 401,
                    "The caller is not authenticated, or a second factor is still required (that problem has further "
                    "members).");
        problem_headers(out, 401);
        member_object(out, "content");
        member_object(out, "application/problem+json");
        write_key(out, "schema");
        write_problem_schema(out, schemas, m->challenge);
        close_object(out);
        close_object(out);
        close_object(out);
}

void responses_of_method(struct buf *out, const struct schema_set *schemas, const struct rpc_method *m)
{
        member_object(out, "responses");
        write_success(out, schemas, m, m->success_status);
        if (m->empty_is_204) {
                write_success(out, schemas, m, 204);
        }
        if (m->answers_file) {
                write_success(out, schemas, m, 206);
        }
        if (strcmp(m->http_verb, "GET") == 0) {
                write_not_modified(out, m);
        }
        for (size_t i = 0; i < N_PROBLEMS; i++) {
                if (problems[i].status == 401 && m->challenge != NULL) {
                        write_challenge(out, schemas, m);
                } else if (problems[i].name != NULL && problem_applies(m, i)) {
                        refer_to_problem(out, i);
                }
        }
        close_object(out);
}

/* --- pages --- */

static void page_headers(struct buf *out, const struct gateway_page *page, int status)
{
        open_headers(out);
        if (page->streams) {
                rate_headers(out);
        }
        if (page->tagged && status < 400) {
                reference(out, "ETag", "headers", "ETag");
        } else if (status == 503) {
                reference(out, "Retry-After", "headers", "RetryAfter");
        }
        close_object(out);
}

static bool is_json(const char *content_type)
{
        return strstr(content_type, "json") != NULL;
}

static void page_content(struct buf *out, const struct gateway_page *page)
{
        char type[MAX_REFERENCE];
        snprintf(type, sizeof(type), "%.*s", (int)strcspn(page->content_type, ";"), page->content_type);
        member_object(out, type);
        member_object(out, "schema");
        member_text(out, "type", is_json(type) ? "object" : "string");
        close_object(out);
        close_object(out);
}

static void page_response(struct buf *out, const struct gateway_page *page, int status, const char *description)
{
        open_status(out, status, description);
        page_headers(out, page, status);
        if (status != 304) {
                member_object(out, "content");
                page_content(out, page);
                close_object(out);
        }
        close_object(out);
}

/* A page's own response, and that of its process, when it cannot serve. */
static void page_unavailable(struct buf *out, const struct gateway_page *page)
{
        open_status(out, 503, "Temporarily unavailable; Retry-After says when to retry.");
        page_headers(out, page, 503);
        member_object(out, "content");
        if (page->tells_why_not) {
                page_content(out, page);
        }
        write_json(out, STR("\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}"));
        close_object(out);
        close_object(out);
}

/* A stream can be rejected like any method that reads. */
static void stream_responses(struct buf *out, const struct gateway_page *page)
{
        open_status(out, 101, "From here on the connection is a WebSocket.");
        close_object(out);
        page_response(out, page, 200, "Server-sent events; each is one message of the stream, as JSON.");
        for (size_t i = 0; i < N_PROBLEMS; i++) {
                int status = problems[i].status;
                if (problems[i].name != NULL && !is_step_up(i) && status != 409 && status != 412 && status != 413 &&
                    status != 415 && status != 460 && status != 507) {
                        refer_to_problem(out, i);
                }
        }
}

void responses_of_page(struct buf *out, const struct gateway_page *page)
{
        member_object(out, "responses");
        if (page->streams) {
                stream_responses(out, page);
                close_object(out);
                return;
        }
        page_response(out, page, 200, "Done.");
        if (page->tagged) {
                page_response(out, page, 304, "Unchanged since the response with this entity tag.");
        }
        if (!page->inline_ || page->tells_why_not) {
                page_unavailable(out, page);
        }
        if (!page->inline_) {
                reference(out, "504", "responses", "TimedOut");
        }
        reference(out, "default", "responses", "Refused");
        close_object(out);
}

/* --- components --- */

static void write_problem_response(struct buf *out, size_t i)
{
        member_object(out, problems[i].name);
        member_text(out, "description", problems[i].description);
        problem_headers(out, problems[i].status);
        write_json(
            out,
            STR("\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}"));
        close_object(out);
}

void responses_write_components(struct buf *out)
{
        member_object(out, "responses");
        for (size_t i = 0; i < N_PROBLEMS; i++) {
                if (problems[i].name != NULL) {
                        write_problem_response(out, i);
                }
        }
        close_object(out);
        write_json(out, str_of(headers));
}
