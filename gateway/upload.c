/* Owns receiving a body of bytes. */
#include "gateway/upload.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/spool.h"
#include "base/text.h"
#include "gateway/body.h"
#include "gateway/problem.h"
#include "gateway/transcode.h"
#include "http/multipart.h"
#include "json/json.h"
#include "rpc/admission.h"
#include "rpc/dispatch.h"
#include "rpc/lanes.h"

enum {
        FIELDS_MAX = 32,
        FIELD_BYTES_MAX = 64 << 10,
        FORM_BYTES_MAX = 128 << 10, /* of a form besides its file, including the fields */
        FILE_NAME_MAX = 255,
};

struct upload_field {
        const char *name;
        struct buf value;
        struct upload_field *next;
};

struct upload {
        struct rpc_call *call;
        struct spool *spool;
        struct rpc_admission *admission; /* NULL: the service is not called */
        int64_t received;
        struct rpc_body body;
        struct http_response identified; /* its headers, with the rate limit */
        const char *refusal;             /* why a part was rejected, and its name */
        const char *refused_name;
        struct multipart form;
        struct upload_field *fields, *field; /* those received; the current one, or NULL for the file */
        size_t n_fields, field_bytes;
        bool has_file;
};

/* --- refusals --- */

/* Always returns false. */
static bool answer_problem_early(struct exchange *x, struct http_response *early)
{
        exchange_headers(x, early);
        exchange_refuse(x, &x->upload->call->problem, early);
        return false;
}

static bool refuse_type(struct exchange *x, const char *detail, struct http_response *early)
{
        exchange_headers(x, early);
        problem_write_http(415, "unsupported_media_type", detail, x->request_id, x->request->arena, early);
        return false;
}

static void fail_share(struct rpc_call *c)
{
        (void)rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "spool_full", NULL,
                            "Too many uploads are in progress from your address; wait for one to finish.");
}

static void fail_spool(struct rpc_call *c, enum spool_result result)
{
        if (result == SPOOL_LATE) {
                (void)rpc_fail_deadline(c);
                return;
        }
        if (result == SPOOL_FULL) {
                (void)rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "spool_full", NULL,
                                    "Too many uploads are in progress on this server; try again a little later.");
                return;
        }
        log_event(LOG_LEVEL_ERROR, "cannot spool a request body", LOG_STR("error.message", strerror(errno)));
        (void)rpc_fail(c, SN_INTERNAL, NULL, "the body could not be stored");
}

static void fail_form(struct rpc_call *c)
{
        (void)rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_request", NULL,
                            "The body is not valid multipart/form-data (RFC 7578), or one of its fields is too long.");
}

/* --- forms --- */

static const char *file_field(const struct exchange *x)
{
        return contract_chunk_field(x->match.route->method->in)->name;
}

/* Strips the folders that some clients send. */
static const char *base_name(struct arena *arena, const char *name)
{
        const char *slash = strrchr(name, '/'), *backslash = strrchr(name, '\\');
        slash = slash == NULL || (backslash != NULL && backslash > slash) ? backslash : slash;
        return text_clean(arena, str_of(slash != NULL ? slash + 1 : name), FILE_NAME_MAX);
}

static bool has_field(const struct upload *u, const char *name)
{
        for (const struct upload_field *f = u->fields; f != NULL; f = f->next) {
                if (strcmp(f->name, name) == 0) {
                        return true;
                }
        }
        return false;
}

static bool refuse_part(struct exchange *x, const struct multipart_part *part, const char *why)
{
        (void)rpc_fail(x->upload->call, SN_INVALID_ARGUMENT,
                       text_clean(x->request->arena, str_of(part->name), sizeof(part->name)), "%s", why);
        return false;
}

static bool begin_file(struct exchange *x, const struct multipart_part *part)
{
        struct upload *u = x->upload;
        if (u->has_file) {
                return refuse_part(x, part, "Only one file is allowed.");
        }
        u->has_file = true;
        u->field = NULL;
        u->body.file_name = base_name(x->request->arena, part->file_name);
        u->body.mime_type = arena_strdup(x->request->arena, part->type);
        return true;
}

static bool begin_part(void *context, const struct multipart_part *part)
{
        struct exchange *x = context;
        struct upload *u = x->upload;
        if (strcmp(part->name, file_field(x)) == 0) {
                return begin_file(x, part);
        }
        if (part->has_file_name) {
                return refuse_part(x, part, "This field does not accept a file.");
        }
        if (has_field(u, part->name)) {
                return refuse_part(x, part, "must be given only once");
        }
        if (++u->n_fields > FIELDS_MAX) {
                return refuse_part(x, part, "The body has too many parts.");
        }
        u->field = ARENA_NEW(x->request->arena, struct upload_field);
        u->field->name = arena_strdup(x->request->arena, part->name);
        buf_init(&u->field->value, FIELD_BYTES_MAX);
        u->field->next = u->fields;
        u->fields = u->field;
        return true;
}

static bool append_file(struct exchange *x, struct str piece)
{
        struct upload *u = x->upload;
        if (!http_spool_add(x->request, piece.len)) {
                fail_share(u->call);
                return false;
        }
        if (u->admission != NULL) {
                rpc_admission_take(u->admission, piece);
        }
        enum spool_result result = spool_append(u->spool, piece.ptr, piece.len);
        if (result != SPOOL_OK) {
                fail_spool(u->call, result);
        }
        return result == SPOOL_OK;
}

static bool take_part(void *context, struct str piece)
{
        struct exchange *x = context;
        struct upload *u = x->upload;
        if (u->field == NULL) {
                return append_file(x, piece);
        }
        u->field_bytes += piece.len;
        buf_append(&u->field->value, piece.ptr, piece.len);
        if (u->field_bytes > FIELD_BYTES_MAX || u->field->value.overflow) {
                fail_form(u->call);
                return false;
        }
        return true;
}

static bool end_part(void *context)
{
        return true;
}

/* --- receiving --- */

static bool take_form(struct upload *u, struct str piece)
{
        u->received += (int64_t)piece.len;
        enum multipart_result result = multipart_take(&u->form, piece);
        if (result == MULTIPART_MALFORMED ||
            (result == MULTIPART_MORE && u->received - spool_size(u->spool) > FORM_BYTES_MAX)) {
                fail_form(u->call);
                return false;
        }
        return result == MULTIPART_MORE;
}

static bool may_go_on(struct upload *u)
{
        return (u->admission == NULL || rpc_admission_check(u->admission, u->call) == SN_OK) &&
               rpc_check_session(u->call) == SN_OK;
}

static bool take_piece(struct http_request *r, struct str piece, struct http_response *early)
{
        struct exchange *x = r->user;
        struct upload *u = x->upload;
        bool is_file = x->match.route->method->body == RPC_BODY_BYTES;
        return (may_go_on(u) && (is_file ? append_file(x, piece) : take_form(u, piece))) ||
               answer_problem_early(x, early);
}

static bool is_full(struct http_request *r)
{
        const struct upload *u = ((const struct exchange *)r->user)->upload;
        return (u->admission != NULL && rpc_admission_waits(u->admission)) || spool_is_full(u->spool);
}

static int areas(struct http_request *r, struct iovec *into, int n)
{
        const struct exchange *x = r->user;
        const struct upload *u = x->upload;
        bool is_file = x->match.route->method->body == RPC_BODY_BYTES;
        bool has_head = u->admission == NULL || spool_size(u->spool) >= RPC_ADMISSION_HEAD_BYTES;
        return is_file && has_head ? spool_reserve(u->spool, into, n) : 0;
}

static bool append_received(struct exchange *x, size_t bytes)
{
        struct upload *u = x->upload;
        if (!http_spool_add(x->request, bytes)) {
                fail_share(u->call);
                return false;
        }
        enum spool_result result = spool_append_reserved(u->spool, bytes);
        if (result != SPOOL_OK) {
                fail_spool(u->call, result);
        }
        return result == SPOOL_OK;
}

static bool received(struct http_request *r, size_t bytes, struct http_response *early)
{
        struct exchange *x = r->user;
        return (may_go_on(x->upload) && append_received(x, bytes)) || answer_problem_early(x, early);
}

static void release_upload(struct http_request *r)
{
        struct exchange *x = r->user;
        for (struct upload_field *f = x->upload->fields; f != NULL; f = f->next) {
                buf_free(&f->value);
        }
        rpc_admission_end(x->upload->admission);
        spool_free(x->upload->spool);
}

static bool begin_form(struct exchange *x, struct http_response *early)
{
        struct str boundary;
        if (!multipart_boundary(str_of(http_request_header(x->request, "Content-Type")), &boundary)) {
                return refuse_type(x, "send the body as Content-Type: multipart/form-data; boundary=…", early);
        }
        multipart_init(&x->upload->form, boundary, &(struct multipart_handlers){begin_part, take_part, end_part, x});
        return true;
}

/* Without a body no Content-Type is needed. */
static bool has_its_type(struct exchange *x, struct http_response *early)
{
        const char *wanted = x->match.route->method->body_type;
        struct str rest = str_of(http_request_header(x->request, "Content-Type")), type = {"", 0};

        (void)str_next(&rest, ';', &type);
        return wanted == NULL || !x->request->has_body || str_equal_nocase(str_trim(type), str_of(wanted)) ||
               refuse_type(x, arena_printf(x->request->arena, "send the body as Content-Type: %s", wanted), early);
}

static bool check_type(struct exchange *x, struct http_response *early)
{
        const struct rpc_method *m = x->match.route->method;
        if (body_is_encoded(x->request)) {
                refuse_type(x, "compressed request bodies are not supported; send the body without Content-Encoding",
                            early);
                http_response_header(early, "Accept-Encoding", "identity");
                return false;
        }
        return m->body == RPC_BODY_BYTES ? has_its_type(x, early) : begin_form(x, early);
}

static int64_t announced(const struct http_request *r)
{
        int64_t bytes = 0;
        (void)str_to_i64(str_of(http_request_header(r, "Content-Length")), &bytes);
        return bytes;
}

/* The names of the fields that may follow the body as trailers; NULL: none. */
static const char *const *trailers_of(struct arena *arena, const struct rpc_message *type)
{
        const char **names = ARENA_ARRAY(arena, const char *, HTTP_MAX_TRAILERS + 1);
        size_t n = 0;
        for (unsigned i = 0; i < type->n_fields && n < HTTP_MAX_TRAILERS; i++) {
                if (type->fields[i].rule.trailer) {
                        names[n++] = type->fields[i].rule.header;
                }
        }
        return n > 0 ? names : NULL;
}

static struct http_sink *sink_of(struct arena *arena, const struct rpc_method *m)
{
        struct http_sink *sink = ARENA_NEW(arena, struct http_sink);
        *sink = (struct http_sink){.take = take_piece,
                                   .is_full = is_full,
                                   .areas = areas,
                                   .received = received,
                                   .stall_ms = (int)m->stall_ms,
                                   .keeps_part = m->takes_part};
        return sink;
}

/* Elsewhere its bytes are hashed where they come in again. */
static bool is_handled_here(const struct rpc_method *m)
{
        return rpc_local_service(m->service->name) != NULL;
}

/* The minimum size of the file; 0: unknown. */
static int64_t least_size(const struct exchange *x)
{
        int64_t size = announced(x->request);
        if (x->match.route->method->body == RPC_BODY_MULTIPART) {
                size -= FORM_BYTES_MAX;
        }
        return size > 0 ? size : 0;
}

static bool is_worth_asking(const struct http_request *r)
{
        int64_t size = announced(r);
        return r->has_body &&
               (size == 0 || size > RPC_ADMISSION_BODY_BYTES || http_request_header(r, "Expect") != NULL);
}

/* Asks the service about the body, if the method declares an admission. */
static bool begin_admission(struct exchange *x, struct http_response *early)
{
        struct upload *u = x->upload;
        const struct rpc_method *m = x->match.route->method;
        ProtobufCMessage *in = NULL;
        if (m->admission == NULL || !is_worth_asking(x->request)) {
                return true;
        }
        if (transcode_request(u->call, x, &in) != SN_OK) {
                return answer_problem_early(x, early);
        }
        size_t len;
        const uint8_t *request = rpc_pack(u->call->arena, in, &len);
        u->admission = rpc_admission_begin(u->call, rpc_lanes_of_request(x->gateway->options.lanes, m),
                                           (struct str){(const char *)request, len}, least_size(x));
        return true;
}

/* In one process; between processes a body takes little memory, twice. */
static enum spool_result make_ready_to_handle(struct spool *spool)
{
        spool_widen(spool);
        if (!spool_hash(spool)) {
                spool_free(spool);
                return SPOOL_FULL;
        }
        return SPOOL_OK;
}

static bool begin_spool(struct exchange *x, struct http_response *early)
{
        struct upload *u = x->upload;
        int64_t size = announced(x->request);
        if (!http_spool_begin(x->request, size)) {
                fail_share(u->call);
                return answer_problem_early(x, early);
        }
        enum spool_result result = spool_new(size, &u->spool);
        if (result == SPOOL_OK && is_handled_here(x->match.route->method)) {
                result = make_ready_to_handle(u->spool);
        }
        if (result != SPOOL_OK) {
                fail_spool(u->call, result);
                return answer_problem_early(x, early);
        }
        x->request->release = release_upload;
        return true;
}

bool upload_begin(struct exchange *x, size_t *max_body, struct http_response *early)
{
        const struct rpc_method *m = x->match.route->method;
        struct http_request *r = x->request;
        struct upload *u = x->upload = ARENA_NEW(r->arena, struct upload);
        const char *type = http_request_header(r, "Content-Type");

        u->body =
            (struct rpc_body){.file_name = "", .mime_type = type != NULL && m->body == RPC_BODY_BYTES ? type : ""};
        if (exchange_identify(x, m, &u->identified, &u->call) != SN_OK || rpc_check_access(u->call) != SN_OK) {
                return answer_problem_early(x, early);
        }
        u->call->admitted_ms = clock_wall_ms();
        *max_body = m->max_body_bytes;
        if (announced(r) > (int64_t)m->max_body_bytes) {
                exchange_headers(x, early);
                problem_write_http(413, NULL, "The body is larger than this endpoint accepts.", x->request_id, r->arena,
                                   early);
                return false;
        }
        if (!check_type(x, early) || !begin_spool(x, early) || !begin_admission(x, early)) {
                return false;
        }
        r->sink = sink_of(r->arena, m);
        r->wanted_trailers = trailers_of(r->arena, m->in);
        return true;
}

bool upload_end(struct exchange *x, struct http_response *early)
{
        struct upload *u = x->upload;
        if (x->match.route->method->body == RPC_BODY_MULTIPART && !multipart_is_whole(&u->form)) {
                fail_form(u->call);
                return answer_problem_early(x, early);
        }
        if (x->match.route->method->body == RPC_BODY_MULTIPART && !u->has_file) {
                (void)rpc_fail(u->call, SN_INVALID_ARGUMENT, file_field(x), "is required");
                return answer_problem_early(x, early);
        }
        return true;
}

void upload_headers(const struct exchange *x, struct http_response *response)
{
        const struct http_response *identified = &x->upload->identified;
        for (size_t i = 0; i < identified->n_headers; i++) {
                http_response_header(response, identified->headers[i].name, identified->headers[i].value);
        }
}

struct rpc_call *upload_call(const struct exchange *x)
{
        struct upload *u = x->upload;
        u->body.size = spool_size(u->spool);
        u->body.complete = !x->request->is_part;
        u->call->body = &u->body;
        u->call->deadline_us = x->work.deadline_us;
        u->call->now_ms = clock_wall_ms(); /* receiving the bytes took time */
        return u->call;
}

sn_status upload_finish(struct rpc_call *c, const struct exchange *x)
{
        TRY(rpc_check_session(c)); /* it may have ended while the request was queued */
        enum spool_result result = spool_finish(x->upload->spool, c->deadline_us, &x->upload->body.fd);
        if (result != SPOOL_OK) {
                fail_spool(c, result);
                return c->problem.status;
        }
        return !is_handled_here(c->method) || spool_sha256(x->upload->spool, x->upload->body.sha256)
                   ? SN_OK
                   : rpc_fail(c, SN_INTERNAL, NULL, "the body could not be hashed");
}

sn_status upload_read_fields(struct rpc_call *c, const struct exchange *x, ProtobufCMessage *in)
{
        for (const struct upload_field *f = x->upload->fields; f != NULL; f = f->next) {
                for (size_t i = 0; i < x->match.n_variables; i++) {
                        const struct route_variable *v = &x->match.variables[i];
                        if (str_equal_c((struct str){v->name, strcspn(v->name, "}")}, f->name)) {
                                return rpc_fail(c, SN_INVALID_ARGUMENT, f->name, "must be given only once");
                        }
                }
                TRY(transcode_check_place(c, x->match.route->method, str_of(f->name)));
                struct str value = {f->value.len > 0 ? f->value.data : "", f->value.len};
                TRY(json_set_field(c, x->match.route->method->in, in, str_of(f->name), value));
        }
        return SN_OK;
}
