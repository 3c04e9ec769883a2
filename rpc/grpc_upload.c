/* Uploads: decodes messages as they arrive and writes their bytes to a file, on the I/O thread. At most one message
 * is in memory. */
#include "rpc/grpc_upload.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/spool.h"
#include "base/text.h"
#include "rpc/admission.h"
#include "rpc/dispatch.h"
#include "rpc/grpc_chunk.h"

enum {
        MESSAGE_BYTES_MAX = GRPC_CHUNK_HEAD_BYTES + GRPC_CHUNK_BYTES + GRPC_CHUNK_FIELDS_BYTES,
        NAME_BYTES_MAX = 512,
        FRAMES_BYTES_MAX = 64 << 10,
        /* of framing, beyond as much as the body itself */
};

struct grpc_upload {
        struct http_sink sink;
        struct grpc_request *request;
        uint32_t field; /* that holds the bytes */
        struct spool *spool;
        struct buf part;                 /* of an incomplete message */
        struct str fields;               /* of the first message, without the bytes */
        bool begun;                      /* the first message has arrived */
        int64_t framed;                  /* bytes of framing in the other messages */
        struct workers *lane;            /* where the service is called about it, */
        struct rpc_admission *admission; /* once the fields have arrived; NULL: none */
        struct rpc_body body;
};

/* ---- Rejections ---- */

static sn_status fail_share(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "spool_full", NULL,
                             "too many uploads are in progress from your address; wait for one to finish");
}

/* Our own services act for many clients. */
static bool has_share(const struct rpc_call *c)
{
        return c->caller[0] == '\0';
}

static sn_status fail_spool(struct rpc_call *c, enum spool_result result)
{
        if (result == SPOOL_LATE) {
                return rpc_fail_deadline(c);
        }
        if (result == SPOOL_FULL) {
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "spool_full", NULL,
                                     "too many uploads are in progress on this server; try again a little later");
        }
        log_event(LOG_LEVEL_ERROR, "cannot write a request body to the spool folder",
                  LOG_STR("event.action", c->method->full_name));
        return rpc_fail(c, SN_INTERNAL, NULL, "the body could not be stored");
}

static sn_status fail_message(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "message_unreadable", NULL,
                             "send complete messages: the fields in the first one, and only bytes in the others");
}

static sn_status fail_message_size(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL,
                             "a message may carry at most %d bytes of the body; send more messages", GRPC_CHUNK_BYTES);
}

/* ---- One message ---- */

static sn_status keep_bytes(struct grpc_upload *u, struct str bytes)
{
        struct rpc_call *c = &u->request->call;
        if (bytes.len > GRPC_CHUNK_BYTES) {
                return fail_message_size(c);
        }
        if ((uint64_t)spool_size(u->spool) + bytes.len > c->method->max_body_bytes) {
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL,
                                     "the body may have at most %llu bytes",
                                     (unsigned long long)c->method->max_body_bytes);
        }
        if (has_share(c) && !http_spool_add(u->request->http, bytes.len)) {
                return fail_share(c);
        }
        if (u->admission != NULL) {
                rpc_admission_take(u->admission, bytes);
        }
        enum spool_result result = spool_append(u->spool, bytes.ptr, bytes.len);
        return result == SPOOL_OK ? SN_OK : fail_spool(c, result);
}

/* Bodies from our other processes were admitted there. */
static void ask_about(struct grpc_upload *u)
{
        const struct rpc_call *c = &u->request->call;
        if (c->method->admission != NULL && has_share(c)) {
                u->admission = rpc_admission_begin(c, u->lane, u->fields, 0);
        }
}

/* Messages with few or no bytes could make a body last forever. */
static sn_status count_frame(struct grpc_upload *u, size_t bytes)
{
        u->framed += (int64_t)bytes;
        return u->framed <= FRAMES_BYTES_MAX + spool_size(u->spool)
                   ? SN_OK
                   : rpc_fail_code(&u->request->call, SN_RESOURCE_EXHAUSTED, "too_many_messages", NULL,
                                   "the messages are too small; send up to %d bytes in each", GRPC_CHUNK_BYTES);
}

static sn_status take_plain(struct grpc_upload *u, struct str message)
{
        struct rpc_call *c = &u->request->call;
        CLEANUP(buf_free) struct buf rest;
        struct str bytes;
        buf_init(&rest, GRPC_CHUNK_FIELDS_BYTES);
        if (!grpc_chunk_split(message, u->field, &bytes, &rest) || rest.overflow || (u->begun && rest.len > 0)) {
                return fail_message(c);
        }
        if (!u->begun) {
                u->begun = true;
                u->fields = (struct str){arena_strndup(c->arena, rest.data, rest.len), rest.len};
                ask_about(u);
        } else {
                TRY(count_frame(u, GRPC_PREFIX_BYTES + message.len - bytes.len));
        }
        return keep_bytes(u, bytes);
}

static sn_status take_message(struct grpc_upload *u, struct str message, bool compressed)
{
        struct rpc_call *c = &u->request->call;
        const struct arena_mark mark = arena_mark(c->arena);
        const bool first = !u->begun;
        struct str plain;
        if (compressed && !str_equal_c(u->request->encoding, "gzip")) {
                return fail_message(c);
        }
        switch (grpc_frame_unpack(c->arena, message, compressed, MESSAGE_BYTES_MAX, &plain)) {
        case GRPC_FRAME_WHOLE:
                break;
        case GRPC_FRAME_TOO_LARGE:
                return fail_message_size(c);
        default:
                return fail_message(c);
        }
        TRY(take_plain(u, plain));
        if (!first) { /* otherwise the fields are set */
                arena_reset(c->arena, mark);
        }
        return SN_OK;
}

/* All complete messages; *used gets the number of their bytes. */
static sn_status take_messages(struct grpc_upload *u, struct str bytes, size_t *used)
{
        struct rpc_call *c = &u->request->call;
        for (*used = 0;;) {
                struct str rest = {bytes.ptr + *used, bytes.len - *used}, message = {"", 0};
                bool compressed = false;
                enum grpc_frame frame = grpc_frame_read(rest, &compressed, &message);
                if (frame == GRPC_FRAME_PART) {
                        return rest.len <= GRPC_PREFIX_BYTES + MESSAGE_BYTES_MAX ? SN_OK : fail_message_size(c);
                }
                if (frame != GRPC_FRAME_WHOLE) {
                        return frame == GRPC_FRAME_TOO_LARGE ? fail_message_size(c) : fail_message(c);
                }
                TRY(take_message(u, message, compressed));
                *used += GRPC_PREFIX_BYTES + message.len;
        }
}

/* ---- Receiving ---- */

static bool upload_take(struct http_request *http, struct str piece, struct http_response *early)
{
        struct grpc_upload *u = ((struct grpc_request *)http->user)->upload;
        struct rpc_call *c = &u->request->call;
        size_t used = 0;
        buf_append(&u->part, piece.ptr, piece.len);
        sn_status status = u->admission != NULL ? rpc_admission_check(u->admission, c) : SN_OK;
        if (status == SN_OK) {
                status = rpc_check_session(c);
        }
        if (status == SN_OK) {
                status = u->part.overflow ? fail_message_size(c)
                                          : take_messages(u, (struct str){u->part.data, u->part.len}, &used);
        }
        if (status == SN_OK) {
                memmove(u->part.data, u->part.data + used, u->part.len - used);
                u->part.len -= used;
                return true;
        }
        (void)rpc_dispatch_refused(c, status);
        grpc_response_of_problem(c->arena, &c->problem, early);
        return false;
}

static bool upload_is_full(struct http_request *http)
{
        struct grpc_upload *u = ((struct grpc_request *)http->user)->upload;
        return (u->admission != NULL && rpc_admission_waits(u->admission)) || spool_is_full(u->spool);
}

static void upload_release(struct http_request *http)
{
        struct grpc_upload *u = ((struct grpc_request *)http->user)->upload;
        buf_free(&u->part);
        rpc_admission_end(u->admission);
        spool_free(u->spool);
}

sn_status grpc_upload_begin(struct grpc_request *r, struct workers *lane)
{
        struct rpc_call *c = &r->call;
        struct grpc_upload *u = ARENA_NEW(c->arena, struct grpc_upload);
        u->sink = (struct http_sink){.take = upload_take,
                                     .is_full = upload_is_full,
                                     .stall_ms = (int)c->method->stall_ms,
                                     .keeps_part = c->method->takes_part};
        u->request = r;
        u->lane = lane;
        c->admitted_ms = c->admitted_ms > 0 ? c->admitted_ms : clock_wall_ms();
        u->field = contract_chunk_field(c->method->in)->number;
        buf_init(&u->part, MESSAGE_BYTES_MAX * 2);
        if (has_share(c) && !http_spool_begin(r->http, 0)) {
                return fail_share(c);
        }
        enum spool_result result = spool_new(0, &u->spool);
        if (result == SPOOL_OK && !spool_hash(u->spool)) {
                spool_free(u->spool);
                result = SPOOL_FULL;
        }
        if (result != SPOOL_OK) {
                return fail_spool(c, result);
        }
        r->upload = u;
        r->http->sink = &u->sink;
        r->http->release = upload_release;
        return SN_OK;
}

/* ---- The whole body ---- */

static const char *text_of(struct rpc_call *c, struct str value)
{
        struct str bytes;
        bool given = value.ptr != NULL && grpc_binary_read(c->arena, value, &bytes);
        return given ? text_clean(c->arena, bytes, NAME_BYTES_MAX) : "";
}

sn_status grpc_upload_finish(struct grpc_upload *u, struct str *fields)
{
        struct grpc_request *r = u->request;
        struct rpc_call *c = &r->call;
        TRY(rpc_check_session(c)); /* it may have ended while the request was queued */
        bool broken = r->http->is_part || (c->caller[0] != '\0' && r->broken_off.ptr != NULL);
        if (!u->begun || (u->part.len > 0 && !broken)) {
                return fail_message(c);
        }
        int fd;
        enum spool_result kept = spool_finish(u->spool, rpc_deadline_us(c->method, r->asked_deadline_us), &fd);
        if (kept != SPOOL_OK) {
                return fail_spool(c, kept);
        }
        u->body = (struct rpc_body){.fd = fd,
                                    .size = spool_size(u->spool),
                                    .complete = !broken,
                                    .file_name = text_of(c, r->file_name),
                                    .mime_type = text_of(c, r->mime_type)};
        if (!spool_sha256(u->spool, u->body.sha256)) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the body could not be hashed");
        }
        c->body = &u->body;
        c->deadline_us = rpc_deadline_us(c->method, r->asked_deadline_us);
        *fields = u->fields;
        return SN_OK;
}
