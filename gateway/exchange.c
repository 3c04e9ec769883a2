/* Owns a request's way: who asks, how often, what, the call, the answer. */
#include "gateway/exchange.h"

#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "base/metrics.h"
#include "gateway/answer_headers.h"
#include "gateway/cors.h"
#include "gateway/file_response.h"
#include "gateway/problem.h"
#include "gateway/transcode.h"
#include "gateway/upload.h"
#include "rpc/rate_limit.h"

#define RESPONSE_MAX_BYTES (8 << 20)

void exchange_headers(const struct exchange *x, struct http_response *response)
{
        http_response_header(response, "X-Request-Id", x->request_id);
        http_response_header(response, "X-Content-Type-Options", "nosniff");
        cors_headers(x->gateway->options.settings->cors_origins, x->gateway->exposed.data, x->request, response);
        if (x->match.at_path != NULL) {
                answer_headers_constant(x->request->arena, x->match.at_path->headers, response);
        }
}

void exchange_refuse(const struct exchange *x, const struct rpc_problem *problem, struct http_response *response)
{
        buf_reset(&response->body);
        problem_write(problem, x->request_id, x->request->arena, response);
}

static struct rpc_call *new_call(const struct exchange *x, const struct rpc_method *method)
{
        struct rpc_call *c = ARENA_NEW(x->request->arena, struct rpc_call);

        *c = (struct rpc_call){
            .arena = x->request->arena,
            .service = &x->gateway->service,
            .method = method,
            CALL_OF_NOBODY,
            .client_address = "",
            .user_agent = "",
            .trace_id = rpc_trace_id(x->request->arena, str_of(http_request_header(x->request, "Traceparent"))),
            .request_id = x->request_id,
            .idempotency_key = http_request_header(x->request, "Idempotency-Key"),
            .deadline_us = x->work.deadline_us,
            .now_ms = clock_wall_ms(),
        };
        return c;
}

static struct str header(const struct exchange *x, const char *name)
{
        const char *value = http_request_header(x->request, name);

        return value != NULL ? str_of(value) : (struct str){0};
}

/* A list may come in several fields of one name (RFC 9110, 5.3). */
static struct str joined_header(const struct exchange *x, const char *name)
{
        const char *all = NULL;

        for (size_t i = 0; i < x->request->n_headers; i++) {
                const struct http_header *h = &x->request->headers[i];

                if (strcasecmp(h->name, name) == 0) {
                        all = all == NULL ? h->value : arena_printf(x->request->arena, "%s, %s", all, h->value);
                }
        }
        return str_of(all);
}

static sn_status authenticate(struct rpc_call *c, const struct exchange *x)
{
        return rpc_authenticate(c, &(struct rpc_sender){
                                       .peer = x->request->peer,
                                       .authorization = header(x, "Authorization"),
                                       .audience = "gateway",
                                       .certificate = "",
                                       .user_agent = header(x, "User-Agent"),
                                       .forwarded = joined_header(x, "Forwarded"),
                                       .x_forwarded_for = joined_header(x, "X-Forwarded-For"),
                                   });
}

static void rate_headers(const struct rate_verdict *verdict, struct arena *arena, struct http_response *response)
{
        if (verdict->limit > 0) {
                http_response_header(response, "RateLimit-Policy", verdict->policy);
                http_response_header(response, "RateLimit",
                                     rate_limit_value(verdict, arena_alloc(arena, RATE_LIMIT_VALUE_SIZE)));
        }
}

static sn_status count_request(struct rpc_call *c, struct http_response *response)
{
        struct rate_verdict verdict = {0};
        sn_status status = rpc_take_rate(c, &verdict);

        rate_headers(&verdict, c->arena, response);
        return status;
}

sn_status exchange_identify(const struct exchange *x, const struct rpc_method *method, struct http_response *response,
                            struct rpc_call **out)
{
        struct rpc_call *c = *out = new_call(x, method);

        TRY(authenticate(c, x));
        return count_request(c, response);
}

static sn_status call(struct rpc_call *c, const struct exchange *x, struct http_response *response)
{
        const struct rpc_method *m = x->match.route->method;
        ProtobufCMessage *in = NULL, *out = contract_new_message(m->out, c->arena);

        if (x->upload == NULL) { /* otherwise it was asked before the body came */
                TRY(authenticate(c, x));
                TRY(count_request(c, response));
                TRY(rpc_check_access(c));
        } else {
                TRY(upload_finish(c, x));
        }
        TRY(transcode_request(c, x, &in));
        if (m->answers_file && !http_file_admit(x->request, true)) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "Too many files are on their way; try again shortly.");
        }
        TRY(rpc_request(c, m, in, out));
        if (x->request->is_part) {
                return rpc_fail_code(c, SN_CANCELLED, "body_incomplete", NULL,
                                     "The body stopped coming; what came of it was kept.");
        }
        if (m->answers_file) {
                file_respond(c, x, (const File__Chunk *)out, response);
                return SN_OK;
        }
        transcode_response(c, x, out, response);
        if (response->body.overflow) {
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "the answer is too large; ask for less with limit");
        }
        return SN_OK;
}

void exchange_run(struct exchange *x)
{
        struct http_response response = {0};

        buf_init(&response.body, RESPONSE_MAX_BYTES);
        exchange_headers(x, &response);
        struct rpc_call *c = x->upload != NULL ? upload_call(x, &response) : new_call(x, x->match.route->method);
        if (call(c, x, &response) != SN_OK) {
                rpc_call_drop_file(c);
                exchange_refuse(x, &c->problem, &response);
        }
        metric_add(x->match.route->answers[response.status / 100], 1);
        http_respond(x->request, &response);
}
