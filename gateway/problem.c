/* Owns the mapping from gRPC's codes to HTTP's, and the shape of a problem document. */
#include "gateway/problem.h"

#include <string.h>
#include "json/json.h"

#define PROBLEM_MAX_BYTES 65536

static const struct {
        int status;
        const char *title, *code;
} titles[] = {
    {400, "Bad Request", "malformed_request"},
    {401, "Unauthorized", "unauthenticated"},
    {403, "Forbidden", "permission_denied"},
    {404, "Not Found", "not_found"},
    {405, "Method Not Allowed", "method_not_allowed"},
    {408, "Request Timeout", "request_timeout"},
    {409, "Conflict", "conflict"},
    {411, "Length Required", "length_required"},
    {413, "Content Too Large", "content_too_large"},
    {414, "URI Too Long", "uri_too_long"},
    {415, "Unsupported Media Type", "unsupported_media_type"},
    {417, "Expectation Failed", "expectation_failed"},
    {422, "Unprocessable Content", "validation_failed"},
    {429, "Too Many Requests", "rate_limited"},
    {431, "Request Header Fields Too Large", "headers_too_large"},
    {500, "Internal Server Error", "internal"},
    {501, "Not Implemented", "unimplemented"},
    {503, "Service Unavailable", "unavailable"},
    {504, "Gateway Timeout", "deadline_exceeded"},
    {505, "HTTP Version Not Supported", "http_version"},
};

static size_t title_of(int status)
{
        for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
                if (titles[i].status == status) {
                        return i;
                }
        }
        return status < 500 ? 0 : title_of(500);
}

static bool is(const char *code, const char *name)
{
        return code != NULL && strcmp(code, name) == 0;
}

static int http_status(const struct rpc_problem *p)
{
        switch (p->status) {
        case SN_INVALID_ARGUMENT:
        case SN_OUT_OF_RANGE:
                return is(p->code, "malformed_json") || is(p->code, "malformed_request") ||
                               is(p->code, "cursor_invalid")
                           ? 400
                           : 422;
        case SN_UNAUTHENTICATED:
                return 401;
        case SN_PERMISSION_DENIED:
                return 403;
        case SN_NOT_FOUND:
                return 404;
        case SN_ALREADY_EXISTS:
        case SN_ABORTED:
        case SN_FAILED_PRECONDITION:
                return 409;
        case SN_RESOURCE_EXHAUSTED:
                return is(p->code, "queue_full") ? 503 : 429;
        case SN_UNIMPLEMENTED:
                return 501;
        case SN_UNAVAILABLE:
                return 503;
        case SN_DEADLINE_EXCEEDED:
                return 504;
        default:
                return 500;
        }
}

static void member(struct buf *out, const char *name, const char *value)
{
        if (value != NULL && value[0] != '\0') {
                buf_printf(out, ",\"%s\":", name);
                json_write_string(out, value, strlen(value));
        }
}

static void write_document(int status, const char *code, const char *field, const char *detail, const char *request_id,
                           struct arena *arena, struct http_response *response)
{
        size_t title = title_of(status);
        struct buf *out = &response->body;

        code = code != NULL ? code : titles[title].code;
        buf_free(out);
        buf_init(out, PROBLEM_MAX_BYTES);
        response->status = status;
        buf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d", titles[title].title, status);
        member(out, "detail", detail);
        member(out, "code", code);
        member(out, "field", field);
        member(out, "instance", arena_printf(arena, "urn:request:%s", request_id));
        buf_append_char(out, '}');
        http_response_header(response, "Content-Type", "application/problem+json");
        http_response_header(response, "Cache-Control", "no-store");
}

void problem_write_http(int status, const char *code, const char *detail, const char *request_id, struct arena *arena,
                        struct http_response *response)
{
        write_document(status, code, NULL, detail, request_id, arena, response);
        if (status == 503) {
                http_response_header(response, "Retry-After", "1");
        }
}

/* RFC 6750: nothing but the scheme when there was no token at all. */
static void challenge(const struct rpc_problem *p, struct arena *arena, struct http_response *response)
{
        bool missing = is(p->code, "token_missing") || is(p->code, "credentials_wrong");

        http_response_header(
            response, "WWW-Authenticate",
            missing ? "Bearer realm=\"sonet\""
                    : arena_printf(arena, "Bearer realm=\"sonet\", error=\"invalid_token\", error_description=\"%s\"",
                                   p->code != NULL ? p->code : "unauthenticated"));
}

void problem_write(const struct rpc_problem *p, const char *request_id, struct arena *arena,
                   struct http_response *response)
{
        int status = http_status(p);
        const char *detail =
            status == 500 ? "something went wrong here; the request id helps the operator to find it" : p->detail;

        write_document(status, status == 500 ? NULL : p->code, p->field, detail, request_id, arena, response);
        if (status == 401) {
                challenge(p, arena, response);
        }
        if (p->retry_after_s > 0 || status == 503 || status == 429) {
                http_response_header(response, "Retry-After",
                                     arena_printf(arena, "%d", p->retry_after_s > 0 ? p->retry_after_s : 1));
        }
}
