/* Serving one request: authentication, dispatch, and the response with status and problem. Independent of threads
 * and queues. */
#include "rpc/grpc_request.h"

#include <string.h>

#include "base/clock.h"
#include "base/shared_stamps.h"
#include "rpc/call_graph.h"
#include "rpc/dispatch.h"
#include "rpc/grpc_download.h"
#include "rpc/grpc_upload.h"
#include "rpc/health.h"
#include "rpc/inline.h"

/* ---- The head ---- */

/* Repeated fields form a list, as in HTTP; but repeated credentials are ambiguous. */
static bool take_header(struct arena *arena, struct str *place, const struct http_header *h, bool once,
                        struct rpc_problem *problem)
{
        if (place->ptr == NULL) {
                *place = str_of(h->value);
        } else if (!once) {
                *place = str_of(arena_printf(arena, "%s, %s", place->ptr, h->value));
        } else {
                *problem = (struct rpc_problem){
                    SN_INVALID_ARGUMENT, "malformed_request", h->name, "this header may appear only once", 0, NULL};
                return false;
        }
        return true;
}

static bool read_metadata(struct grpc_request *r, struct rpc_problem *problem)
{
        const struct {
                const char *name;
                struct str *value;
                bool once;
        } known[] = {
            {MD_AUTHORIZATION, &r->authorization, true},
            {MD_SERVICE, &r->service, true},
            {MD_IDEMPOTENCY_KEY, &r->idempotency_key, true},
            {MD_CLIENT_ADDRESS, &r->client_address, true},
            {MD_CLIENT_AGENT, &r->client_agent, true},
            {MD_ADMITTED, &r->admitted, true},
            {MD_ENCODING, &r->encoding, true},
            {MD_TIMEOUT, &r->timeout, true},
            {MD_FILE_NAME, &r->file_name, true},
            {MD_MIME_TYPE, &r->mime_type, true},
            {MD_BROKEN_OFF, &r->broken_off, true},
            {MD_STAMPS_MEMORY, &r->stamps_memory, true},
            {MD_TRACEPARENT, &r->traceparent, false},
            {MD_REQUEST_ID, &r->request_id, false},
            {"user-agent", &r->user_agent, false},
            {"forwarded", &r->forwarded, false},
            {"x-forwarded-for", &r->x_forwarded_for, false},
        };
        for (size_t i = 0; i < r->http->n_headers; i++) {
                const struct http_header *h = &r->http->headers[i];
                for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
                        if (strcmp(h->name, known[k].name) == 0 &&
                            !take_header(r->http->arena, known[k].value, h, known[k].once, problem)) {
                                return false;
                        }
                }
        }
        return true;
}

static bool set_deadline(struct grpc_request *r, struct rpc_problem *problem)
{
        static const struct rpc_method none; /* the default deadline, for requests that are not methods of ours */
        const struct rpc_method *m = r->served->method != NULL ? r->served->method : &none;
        int64_t left_us = 0;
        if (r->timeout.ptr != NULL && !grpc_timeout_read(r->timeout, &left_us)) {
                *problem = (struct rpc_problem){SN_INVALID_ARGUMENT,
                                                "malformed_request",
                                                MD_TIMEOUT,
                                                "must be at most 8 digits followed by one of H, M, S, m, u and n",
                                                0,
                                                NULL};
                return false;
        }
        r->asked_deadline_us = r->timeout.ptr != NULL ? clock_monotonic_us() + left_us : 0;
        r->work.deadline_us = rpc_deadline_us(m, r->asked_deadline_us);
        return true;
}

static void begin_call(struct grpc_request *r)
{
        struct arena *arena = r->http->arena;
        r->call = (struct rpc_call){
            .arena = arena,
            .service = r->served->service,
            .method = r->served->method,
            CALL_OF_NOBODY,
            .client_address = "",
            .user_agent = "",
            .trace_id = rpc_trace_id(arena, r->traceparent),
            .request_id = rpc_request_id(arena, r->request_id),
            .deadline_us = r->work.deadline_us,
            .now_ms = clock_wall_ms(),
            .idempotency_key = r->idempotency_key.ptr,
        };
}

bool grpc_request_read_head(struct grpc_request *r, struct rpc_problem *problem)
{
        if (!read_metadata(r, problem) || !set_deadline(r, problem)) {
                return false;
        }
        begin_call(r);
        if (r->encoding.ptr == NULL || str_equal_c(r->encoding, "identity") || str_equal_c(r->encoding, "gzip")) {
                return true;
        }
        *problem = (struct rpc_problem){SN_UNIMPLEMENTED,
                                        "encoding_unknown",
                                        MD_ENCODING,
                                        "the only supported encodings are identity and gzip",
                                        0,
                                        NULL};
        return false;
}

/* ---- Identity ---- */

/* The service named by a verified client certificate, or "". */
static const char *certificate_service(struct arena *arena, const char *certificate)
{
        struct str rest = str_of(certificate), one;
        while (str_next(&rest, ' ', &one)) {
                const char *name = str_dup(arena, one);
                if (call_graph_knows(name)) {
                        return name;
                }
        }
        return "";
}

static sn_status identify(struct grpc_request *r, struct rpc_call *c, bool trusts_certificates)
{
        struct rpc_sender sender = {
            .peer = r->http->peer,
            .authorization = r->authorization,
            .service_token = r->service,
            .audience = r->served->service->name,
            .certificate = trusts_certificates ? certificate_service(c->arena, r->http->certificate) : "",
            .user_agent = r->user_agent,
            .forwarded = r->forwarded,
            .x_forwarded_for = r->x_forwarded_for,
            .client_address = r->client_address,
            .admitted = r->admitted,
        };
        /* A malformed value counts as absent. */
        (void)grpc_binary_read(c->arena, r->client_agent, &sender.client_agent);
        return rpc_authenticate(c, &sender);
}

/* ---- The call ---- */

static sn_status read_message(struct grpc_request *r, struct rpc_call *c, struct str *message)
{
        bool gzip = str_equal_c(r->encoding, "gzip");
        switch (grpc_frame_only(c->arena, r->http->body, gzip, message)) {
        case GRPC_FRAME_WHOLE:
                return SN_OK;
        case GRPC_FRAME_TOO_LARGE:
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL,
                                     "the message is too large: at most 4 MiB after decompression");
        default:
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "message_unreadable", NULL,
                                     "send exactly one complete message, uncompressed or with grpc-encoding: gzip");
        }
}

sn_status grpc_request_admit(struct grpc_request *r, const struct grpc_request_context *context)
{
        TRY(identify(r, &r->call, context->trusts_certificates));
        TRY(rpc_take_rate(&r->call, &r->rate));
        return rpc_check_access(&r->call); /* before bytes are unpacked or a body is received */
}

/* Only once, whichever thread continues. */
static sn_status admit_once(struct grpc_request *r, const struct grpc_request_context *context)
{
        if (!r->admission_known) {
                r->admission = grpc_request_admit(r, context);
                r->admission_known = true;
        }
        return r->admission;
}

static sn_status take_message(struct grpc_request *r, const struct grpc_request_context *context, struct str *message)
{
        if (r->upload != NULL) { /* it was admitted before its body */
                return grpc_upload_finish(r->upload, message);
        }
        TRY(admit_once(r, context));
        /* Our own services call on behalf of many clients. */
        if (r->call.method->answers_file && !http_file_admit(r->http, r->call.caller[0] == '\0')) {
                return rpc_fail(&r->call, SN_UNAVAILABLE, NULL,
                                "too many file transfers are in progress; try again shortly");
        }
        return read_message(r, &r->call, message);
}

/* For a caller that shares memory with us, with the record of what is read. */
static sn_status dispatch_recorded(struct grpc_request *r, struct rpc_call *c, struct str message,
                                   ProtobufCMessage **answer)
{
        stamps_begin();
        sn_status status = rpc_dispatch_packed(c, (const uint8_t *)message.ptr, message.len, answer);
        const struct stamps *stamps = stamps_end();
        if (stamps != NULL) {
                r->stamps = shared_stamps_pack(c->arena, stamps, r->stamps_memory);
        }
        return status;
}

static sn_status serve_method(struct grpc_request *r, struct rpc_call *c, const struct grpc_request_context *context,
                              ProtobufCMessage **answer)
{
        struct str message;
        sn_status status = take_message(r, context, &message);
        if (status != SN_OK) {
                return rpc_dispatch_refused(c, status);
        }
        return r->stamps_memory.ptr != NULL ? dispatch_recorded(r, c, message, answer)
                                            : rpc_dispatch_packed(c, (const uint8_t *)message.ptr, message.len, answer);
}

static sn_status serve_health(struct grpc_request *r, struct rpc_call *c, const struct grpc_request_context *context,
                              ProtobufCMessage **answer)
{
        struct str message;
        TRY(read_message(r, c, &message));
        bool ready = context->ready == NULL || context->ready(context->context);
        return health_check(c, (const uint8_t *)message.ptr, message.len, ready, answer);
}

static sn_status serve_request(struct grpc_request *r, struct rpc_call *c, const struct grpc_request_context *context,
                               bool expired, ProtobufCMessage **answer)
{
        if (expired) {
                sn_status status = rpc_fail_deadline(c);
                return c->method != NULL ? rpc_dispatch_refused(c, status) : status;
        }
        return r->served->kind == SERVED_METHOD ? serve_method(r, c, context, answer)
                                                : serve_health(r, c, context, answer);
}

/* ---- The response ---- */

typedef void add_field(struct http_response *response, const char *name, const char *value);

/* The header fields of REST. */
static void add_rate(struct grpc_request *r, struct http_response *response, add_field *add)
{
        if (r->rate.limit > 0) {
                char *value = arena_alloc(r->http->arena, RATE_LIMIT_VALUE_SIZE);
                add(response, MD_RATE_LIMIT_POLICY, r->rate.policy);
                add(response, MD_RATE_LIMIT, rate_limit_value(&r->rate, value));
        }
}

void grpc_response_begin(struct http_response *response)
{
        *response = (struct http_response){.status = 200};
        http_response_header(response, "content-type", GRPC_CONTENT_TYPE);
        http_response_header(response, MD_ACCEPT_ENCODING, "identity,gzip");
}

/* Most clients only show the message, so it names the field, which is separate in the trailer. */
static char *message_of(struct arena *arena, const struct rpc_problem *problem)
{
        const char *detail = problem->detail != NULL ? problem->detail : "";
        return grpc_text_write(arena,
                               problem->field != NULL ? arena_printf(arena, "%s: %s", problem->field, detail) : detail);
}

static void add_problem(struct arena *arena, const struct rpc_problem *problem, struct http_response *response,
                        add_field *add)
{
        add(response, MD_STATUS, arena_printf(arena, "%d", (int)problem->status));
        add(response, MD_MESSAGE, message_of(arena, problem));
        add(response, MD_PROBLEM, grpc_problem_write(arena, problem));
}

void grpc_response_of_problem(struct arena *arena, const struct rpc_problem *problem, struct http_response *response)
{
        grpc_response_begin(response);
        add_problem(arena, problem, response, http_response_header);
}

void grpc_trailers_of_problem(struct arena *arena, const struct rpc_problem *problem, struct http_response *response)
{
        add_problem(arena, problem, response, http_response_trailer);
}

/* A file follows its first message, at the client's pace. */
static sn_status write_answer(struct grpc_request *r, struct rpc_call *c, const ProtobufCMessage *answer,
                              struct http_response *response)
{
        grpc_response_begin(response);
        if (!grpc_frame_write(answer, &response->body)) {
                buf_free(&response->body);
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL,
                                     "the response would be too large; ask for less");
        }
        if (c->file != NULL) {
                response->flow = grpc_download_new(c, r->http, &response->body);
        }
        http_response_trailer(response, MD_STATUS, "0");
        if (r->stamps.ptr != NULL) {
                http_response_trailer(response, MD_STAMPS, grpc_binary_write(c->arena, r->stamps));
        }
        add_rate(r, response, http_response_trailer);
        return SN_OK;
}

void grpc_request_serve(struct grpc_request *r, const struct grpc_request_context *context, bool expired,
                        struct http_response *response)
{
        struct rpc_call *c = &r->call;
        ProtobufCMessage *answer = NULL;
        c->now_ms = clock_wall_ms();
        sn_status status = serve_request(r, c, context, expired, &answer);
        if (status == SN_OK) {
                status = write_answer(r, c, answer, response);
        }
        if (status != SN_OK) {
                rpc_call_drop_file(c);
                rpc_problem_complete(c, status);
                grpc_response_of_problem(c->arena, &c->problem, response);
                add_rate(r, response, http_response_header);
        }
}

bool grpc_request_try(struct grpc_request *r, const struct grpc_request_context *context,
                      struct http_response *response)
{
        if (admit_once(r, context) != SN_OK) { /* the method is not called */
                grpc_request_serve(r, context, false, response);
                return true;
        }
        struct rpc_inline attempt = rpc_inline_begin(&r->call);
        grpc_request_serve(r, context, false, response);
        if (!rpc_inline_end(&attempt, response->n_trailers > 0)) {
                buf_free(&response->body);
                r->tried = true;
                return false;
        }
        return true;
}
