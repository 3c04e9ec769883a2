/* Owns the format of problem documents and their headers. */
#include "gateway/problem.h"

#include <string.h>
#include "json/json.h"

#define PROBLEM_MAX_BYTES 65536

static const struct {
        int status;
        const char *code;
} problems[] = {
#define PROBLEM(status, code, component, description) {(status), (code)},
#include "gateway/problem.def.h"
};

static const char *default_code(int status)
{
        for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
                if (problems[i].status == status) {
                        return problems[i].code;
                }
        }
        return status < 500 ? default_code(400) : default_code(500);
}

static bool is_code(const char *code, const char *name)
{
        return code != NULL && strcmp(code, name) == 0;
}

static void member(struct buf *out, const char *name, const char *value)
{
        if (value != NULL && value[0] != '\0') {
                buf_printf(out, ",\"%s\":", name);
                json_write_string(out, value, strlen(value));
        }
}

/* Adds a message's fields to the members already written. */
static void members_of(struct buf *out, const struct rpc_challenge *challenge)
{
        size_t start = out->len;

        json_write_message(out, challenge->type, challenge->message);
        if (out->len > start + 1) {
                out->data[start] = ','; /* replaces its '{' */
                out->len--;             /* removes its '}' */
        }
}

/* p: of a call; NULL if HTTP itself rejected the request. */
static void write_document(int status, const char *code, const struct rpc_problem *p, const char *detail,
                           const char *request_id, struct arena *arena, struct http_response *response)
{
        struct buf *out = &response->body;

        buf_free(out);
        buf_init(out, PROBLEM_MAX_BYTES);
        response->status = status;
        buf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d", http_reason(status), status);
        member(out, "detail", detail);
        member(out, "code", code != NULL ? code : default_code(status));
        member(out, "field", p != NULL ? p->field : NULL);
        member(out, "instance", arena_printf(arena, "urn:request:%s", request_id));
        if (p != NULL && p->challenge != NULL) {
                members_of(out, p->challenge);
        }
        buf_append_char(out, '}');
        http_response_header(response, "Content-Type", "application/problem+json");
        http_response_header(response, "Cache-Control", "no-store");
}

void problem_write_http(int status, const char *code, const char *detail, const char *request_id, struct arena *arena,
                        struct http_response *response)
{
        write_document(status, code, NULL, detail, request_id, arena, response);
        if (status == 503 || status == 429) {
                http_response_header(response, "Retry-After", "1");
        }
}

/* RFC 6750: only the scheme if no token was sent. */
static void challenge(const struct rpc_problem *p, struct arena *arena, struct http_response *response)
{
        bool missing = is_code(p->code, "token_missing") || is_code(p->code, "credentials_wrong");

        http_response_header(
            response, "WWW-Authenticate",
            missing ? "Bearer realm=\"sonet\""
                    : arena_printf(arena, "Bearer realm=\"sonet\", error=\"invalid_token\", error_description=\"%s\"",
                                   p->code != NULL ? p->code : "unauthenticated"));
}

void problem_write(const struct rpc_problem *p, const char *request_id, struct arena *arena,
                   struct http_response *response)
{
        int status = sn_status_http(p->status, p->code);
        const char *detail =
            status == 500 ? "something went wrong on our side; give the operator the request ID" : p->detail;

        write_document(status, status == 500 ? NULL : p->code, p, detail, request_id, arena, response);
        if (status == 401) {
                challenge(p, arena, response);
        }
        /* 507: no time after which there is room is known. */
        if ((p->retry_after_s > 0 && status != 507) || status == 503 || status == 429) {
                http_response_header(response, "Retry-After",
                                     arena_printf(arena, "%d", p->retry_after_s > 0 ? p->retry_after_s : 1));
        }
}
