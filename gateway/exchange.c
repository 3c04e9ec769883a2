/* Owns the steps of a request: authentication, rate limit, decoding, the call, the response. */
#include "gateway/exchange.h"

#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "base/metrics.h"
#include "gateway/answer_headers.h"
#include "gateway/cors.h"
#include "gateway/file_response.h"
#include "gateway/kept.h"
#include "gateway/problem.h"
#include "gateway/transcode.h"
#include "gateway/upload.h"
#include "rpc/inline.h"

#define RESPONSE_MAX_BYTES (8 << 20)

void exchange_headers(const struct exchange *x, struct http_response *response)
{
        http_response_header(response, "X-Request-Id", x->request_id);
        http_response_header(response, "X-Content-Type-Options", "nosniff");
        cors_headers(x->gateway->options.settings->cors_origins, x->gateway->exposed.data, x->request, response);
        if (x->match.at_path != NULL) {
                answer_headers_declared(x->request->arena, x->gateway->options.settings, x->match.at_path->headers,
                                        response);
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

/* A list may be spread over several fields of one name (RFC 9110, 5.3). */
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

static sn_status authenticate_exchange(struct rpc_call *c, const struct exchange *x)
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

sn_status exchange_identify(const struct exchange *x, const struct rpc_method *method, struct http_response *response,
                            struct rpc_call **out)
{
        struct rpc_call *c = *out = new_call(x, method);
        struct rate_verdict verdict = {0};

        TRY(authenticate_exchange(c, x));
        sn_status status = rpc_take_rate(c, &verdict);

        rate_headers(&verdict, c->arena, response);
        return status;
}

/* For an upload this was done before the body arrived. */
static sn_status admit(struct rpc_call *c, struct exchange *x)
{
        if (x->upload != NULL) {
                return upload_finish(c, x);
        }
        TRY(authenticate_exchange(c, x));
        TRY(rpc_take_rate(c, &x->rate));
        return rpc_check_access(c);
}

/* Only once, whichever thread continues. */
static void admit_once(struct exchange *x)
{
        if (x->call == NULL) {
                x->call = x->upload != NULL ? upload_call(x) : new_call(x, x->match.route->method);
                x->admitted = admit(x->call, x);
        }
}

static sn_status call_method(struct rpc_call *c, const struct exchange *x, struct http_response *response)
{
        const struct rpc_method *m = x->match.route->method;
        ProtobufCMessage *in = NULL, *out = contract_new_message(m->out, c->arena);

        TRY(transcode_request(c, x, &in));
        if (m->answers_file && !http_file_admit(x->request, true)) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "Too many file transfers are in progress; try again shortly.");
        }
        TRY(rpc_request(c, m, in, out));
        if (x->request->is_part) {
                return rpc_fail_code(c, SN_CANCELLED, "body_incomplete", NULL,
                                     "The body stopped arriving; the part that arrived was kept.");
        }
        if (m->answers_file) {
                file_respond(c, x, (const File__Chunk *)out, response);
                return SN_OK;
        }
        transcode_response(c, x, out, response);
        if (response->body.overflow) {
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL,
                                "the response is too large; ask for fewer items with limit");
        }
        return SN_OK;
}

static void respond(const struct exchange *x, struct http_response *response)
{
        struct rpc_call *c = x->call;
        sn_status status = x->admitted;

        *response = (struct http_response){0};
        buf_init(&response->body, RESPONSE_MAX_BYTES);
        exchange_headers(x, response);
        if (x->upload != NULL) {
                upload_headers(x, response);
        }
        rate_headers(&x->rate, c->arena, response);
        if (status == SN_OK) {
                status = kept_respond(c, x, call_method, response);
        }
        if (status != SN_OK) {
                rpc_call_drop_file(c);
                exchange_refuse(x, &c->problem, response);
        }
}

void exchange_forget_attempt(const struct exchange *x)
{
        if (x->tried) {
                rpc_inline_waited(x->match.route->method);
        }
}

void exchange_run(struct exchange *x)
{
        struct http_response response;

        admit_once(x);
        respond(x, &response);
        exchange_forget_attempt(x);
        metric_add(x->match.route->answers[response.status / 100], 1);
        http_respond(x->request, &response);
}

bool exchange_try(struct exchange *x, struct http_response *response)
{
        admit_once(x);
        if (x->admitted != SN_OK) { /* the method is not called */
                respond(x, response);
                metric_add(x->match.route->answers[response->status / 100], 1);
                return true;
        }
        struct rpc_inline attempt = rpc_inline_begin(x->call);

        respond(x, response);
        if (!rpc_inline_end(&attempt, response->status < 400)) {
                buf_free(&response->body);
                x->tried = true;
                return false;
        }
        metric_add(x->match.route->answers[response->status / 100], 1);
        return true;
}
