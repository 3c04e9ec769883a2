/* The admission of one body. The worker that calls the service may outlast the request, so it uses nothing of the
 * request. */
#include "rpc/admission.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/contract.h"
#include "base/spool.h"
#include "rpc/dispatch.h"
#include "rpc/lanes.h"
#include "sonet/body.pb-c.h"

enum { ARENA_BYTES = 1 << 20 };

struct rpc_admission {
        struct work work; /* first */
        struct workers *lane;
        uint8_t head[RPC_ADMISSION_HEAD_BYTES];
        size_t head_len;
        bool asked, asked_of_head;
        struct arena *arena;          /* used by the worker during a call */
        struct rpc_call call;         /* the same, with the admission method */
        Sonet__Body__AdmitRequest in; /* the same */
        pthread_mutex_t lock;         /* for the members below */
        int holders;
        bool asking, refused;
};

static void release_admission(struct rpc_admission *a)
{
        pthread_mutex_lock(&a->lock);
        bool last = --a->holders == 0;
        pthread_mutex_unlock(&a->lock);
        if (last) {
                pthread_mutex_destroy(&a->lock);
                arena_free(a->arena);
                free(a);
        }
}

/* ---- On a worker ---- */

static sn_status ask_service(struct rpc_call *c, const Sonet__Body__AdmitRequest *in)
{
        return rpc_request(c, c->method, &in->base, contract_new_message(c->method->out, c->arena));
}

/* Not one by a service that is away or older than this process: whether it takes the body is decided at its end. */
static bool is_refusal(sn_status status)
{
        return status != SN_OK && status != SN_UNAVAILABLE && status != SN_DEADLINE_EXCEEDED && status != SN_ABORTED &&
               status != SN_UNIMPLEMENTED && status != SN_INTERNAL;
}

static void answered(struct rpc_admission *a, bool refused)
{
        pthread_mutex_lock(&a->lock);
        a->refused = refused;
        a->asking = false;
        pthread_mutex_unlock(&a->lock);
        spool_tell();
}

static void ask_on_worker(struct work *work, bool expired)
{
        struct rpc_admission *a = (struct rpc_admission *)work;
        answered(a, !expired && is_refusal(ask_service(&a->call, &a->in)));
        release_admission(a);
}

/* ---- On the I/O thread ---- */

static void submit_admission(struct rpc_admission *a)
{
        bool has_head = a->head_len == RPC_ADMISSION_HEAD_BYTES;
        a->in.head = (ProtobufCBinaryData){has_head ? RPC_ADMISSION_HEAD_BYTES : 0, a->head};
        a->asked = true;
        a->asked_of_head = has_head;
        pthread_mutex_lock(&a->lock);
        a->asking = true;
        a->holders++;
        pthread_mutex_unlock(&a->lock);
        a->work = (struct work){.run = ask_on_worker, .deadline_us = rpc_deadline_us(a->call.method, 0)};
        if (!workers_submit(a->lane, &a->work)) {
                a->call.problem = rpc_lanes_refusal(a->lane);
                answered(a, true);
                release_admission(a);
        }
}

static char *copy_text(struct rpc_admission *a, const char *text)
{
        return arena_strdup(a->arena, text);
}

static struct rpc_call call_of(struct rpc_admission *a, const struct rpc_call *c)
{
        return (struct rpc_call){.arena = a->arena,
                                 .service = c->service,
                                 .method = c->method->admission,
                                 .actor = copy_text(a, c->actor),
                                 .session = copy_text(a, c->session),
                                 .epoch = c->epoch,
                                 .scope = copy_text(a, c->scope),
                                 .auth_time_s = c->auth_time_s,
                                 .caller = "",
                                 .bearer = copy_text(a, c->bearer),
                                 .admitted_ms = c->admitted_ms,
                                 .client_address = copy_text(a, c->client_address),
                                 .user_agent = copy_text(a, c->user_agent),
                                 .trace_id = copy_text(a, c->trace_id),
                                 .request_id = copy_text(a, c->request_id),
                                 .now_ms = c->now_ms};
}

struct rpc_admission *rpc_admission_begin(const struct rpc_call *c, struct workers *lane, struct str request,
                                          int64_t size)
{
        struct rpc_admission *a = calloc(1, sizeof(*a));
        struct arena *arena = a != NULL ? arena_new(ARENA_BYTES) : NULL;
        if (arena == NULL) {
                free(a);
                return NULL;
        }
        pthread_mutex_init(&a->lock, NULL);
        a->lane = lane;
        a->arena = arena;
        a->holders = 1;
        a->call = call_of(a, c);
        sonet__body__admit_request__init(&a->in);
        a->in.method = (char *)c->method->name;
        a->in.request = (ProtobufCBinaryData){request.len, (uint8_t *)arena_strndup(arena, request.ptr, request.len)};
        a->in.size = size;
        return a;
}

void rpc_admission_take(struct rpc_admission *a, struct str piece)
{
        size_t room = RPC_ADMISSION_HEAD_BYTES - a->head_len, n = piece.len < room ? piece.len : room;
        if (n == 0) {
                return;
        }
        memcpy(a->head + a->head_len, piece.ptr, n);
        a->head_len += n;
}

static bool is_asking(struct rpc_admission *a, bool *refused)
{
        pthread_mutex_lock(&a->lock);
        bool asking = a->asking;
        *refused = a->refused;
        pthread_mutex_unlock(&a->lock);
        return asking;
}

bool rpc_admission_waits(struct rpc_admission *a)
{
        bool refused, asking = is_asking(a, &refused);
        bool has_question = !a->asked || (!a->asked_of_head && a->head_len == RPC_ADMISSION_HEAD_BYTES);
        if (asking || refused || !has_question) {
                return asking;
        }
        submit_admission(a);
        return true; /* even if the call has already returned: its notification before the wait would be missed */
}

sn_status rpc_admission_check(struct rpc_admission *a, struct rpc_call *c)
{
        bool refused;
        if (is_asking(a, &refused) || !refused) {
                return SN_OK;
        }
        const struct rpc_problem *why = &a->call.problem; /* it is no longer written */
        c->problem = *why;
        c->problem.code = why->code != NULL ? arena_strdup(c->arena, why->code) : NULL;
        c->problem.field = why->field != NULL ? arena_strdup(c->arena, why->field) : NULL;
        c->problem.detail = why->detail != NULL ? arena_strdup(c->arena, why->detail) : NULL;
        c->problem.challenge = NULL;
        return why->status;
}

void rpc_admission_end(struct rpc_admission *a)
{
        if (a != NULL) {
                release_admission(a);
        }
}
