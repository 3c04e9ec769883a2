/* Where each service is, and the two ways to call one: for external callers (rpc_request) and by a service
 * (rpc_invoke). Written only at start, so reading takes no lock. */
#include "rpc/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/service_token.h"
#include "base/clock.h"
#include "base/no_wait.h"
#include "grpc/health/v1/health.rpc.h"
#include "rpc/call_graph.h"
#include "rpc/dispatch.h"
#include "rpc/grpc.h"
#include "rpc/rate_limit.h"
#include "rpc/stats.h"

enum { MAX_CALLEES = 32 };

/* A service that may be called, in this process or in another one. */
struct callee {
        const struct rpc_service *contract;
        struct service *local;              /* or */
        struct sonet_grpc_channel *channel; /* to its process */
};

static struct callee callees[MAX_CALLEES];
static size_t n_callees;
static bool forced_encoding;
static struct grpc_tls client_tls;
static int max_calls = 64;

/* ---- The registry ---- */

static struct callee *find_callee(const struct rpc_service *contract)
{
        for (size_t i = 0; i < n_callees; i++) {
                if (callees[i].contract == contract) {
                        return &callees[i];
                }
        }
        return NULL;
}

static struct callee *make_callee(const struct rpc_service *contract)
{
        struct callee *callee = find_callee(contract);
        if (callee != NULL) {
                return callee;
        }
        if (n_callees == MAX_CALLEES) {
                fputs("sonet: too many services\n", stderr);
                abort();
        }
        contract_register(contract);
        rpc_validate_prepare(contract);
        callee = &callees[n_callees++];
        *callee = (struct callee){.contract = contract};
        return callee;
}

void rpc_register_local(struct service *service)
{
        metrics_add_collector(rpc_stats_render);
        make_callee(service->contract)->local = service;
}

sn_status rpc_register_remote(const struct rpc_service *contract, const char *url, struct buf *error)
{
        struct sonet_grpc_channel *channel = NULL;
        TRY(sonet_grpc_channel_open(url, &client_tls, max_calls, &channel, error));
        struct callee *callee = make_callee(contract);
        sonet_grpc_channel_close(callee->channel);
        callee->channel = channel;
        return SN_OK;
}

void rpc_set_client_tls(const struct grpc_tls *tls)
{
        client_tls = *tls;
}

void rpc_set_max_calls(int calls)
{
        max_calls = calls;
}

void rpc_close(void)
{
        for (size_t i = 0; i < n_callees; i++) {
                sonet_grpc_channel_close(callees[i].channel);
        }
        n_callees = 0;
        rpc_limit_rates_end();
}

struct service *rpc_local_service(const char *name)
{
        for (size_t i = 0; i < n_callees; i++) {
                if (callees[i].local != NULL && strcmp(callees[i].contract->name, name) == 0) {
                        return callees[i].local;
                }
        }
        return NULL;
}

void rpc_force_encoding(bool on)
{
        forced_encoding = on;
}

/* ---- Calls ---- */

static sn_status run_encoded(struct rpc_call *child, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        size_t len;
        const uint8_t *packed = rpc_pack(child->arena, in, &len);
        ProtobufCMessage *answer = NULL;
        TRY(rpc_dispatch_packed(child, packed, len, &answer));
        packed = rpc_pack(child->arena, answer, &len);
        TRY(rpc_unpack(child, child->method->out, packed, len, &answer));
        memcpy(out, answer, child->method->out->descriptor->sizeof_message); /* its parts are in the arena */
        return SN_OK;
}

static sn_status run_call(const struct callee *callee, struct rpc_call *child, const ProtobufCMessage *in,
                          ProtobufCMessage *out)
{
        if (callee->local == NULL) {
                if (rpc_call_expired(child)) {
                        return rpc_fail_deadline(child);
                }
                TRY(rpc_check_idempotency_key(child));
                if (no_wait_here() && no_wait_refuses()) { /* what it was read from, the answer says */
                        return SN_UNAVAILABLE;
                }
                const char *token = service_token_for(child->arena, child->caller, callee->contract->name);
                return sonet_grpc_channel_call(callee->channel, child, child->method, token, in, out);
        }
        child->service = callee->local;
        child->from_process = strcmp(child->caller, CALL_GRAPH_GATEWAY) != 0 && !forced_encoding;
        return forced_encoding ? run_encoded(child, in, out) : rpc_dispatch(child, in, out);
}

/* What a call to another service inherits: memory, deadline and trace always; the member only if a member may call
 * the method. */
static struct rpc_call child_of(const struct rpc_call *c, const struct rpc_method *m, const char *caller)
{
        bool for_member = m->access != RPC_INTERNAL;
        return (struct rpc_call){
            .arena = c->arena,
            .method = m,
            .actor = for_member ? c->actor : "",
            .session = for_member ? c->session : "",
            .scope = for_member ? c->scope : "",
            .auth_time_s = for_member ? c->auth_time_s : 0,
            .bearer = for_member ? c->bearer : "",
            .admitted_ms = for_member ? c->admitted_ms : 0,
            .caller = caller,
            .client_address = c->client_address,
            .user_agent = c->user_agent,
            .trace_id = c->trace_id,
            .request_id = c->request_id,
            .deadline_us = rpc_deadline_us(m, c->deadline_us),
            .now_ms = clock_wall_ms(),
            .body = contract_streams_body(m) ? c->body : NULL,
        };
}

static sn_status no_such_service(struct rpc_call *c, const struct rpc_method *m)
{
        return rpc_fail(c, SN_UNAVAILABLE, NULL, "the %s service is not installed here", m->service->name);
}

static sn_status adopt_problem(struct rpc_call *c, const struct rpc_call *child, sn_status status)
{
        if (status != SN_OK) {
                c->problem = child->problem;
                rpc_problem_complete(c, status);
        }
        c->file = child->file;
        return status;
}

sn_status rpc_request(struct rpc_call *c, const struct rpc_method *m, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        const struct callee *callee = find_callee(m->service);
        if (m->access == RPC_INTERNAL) {
                return rpc_fail_unknown_method(c);
        }
        if (callee == NULL) {
                return no_such_service(c, m);
        }
        struct rpc_call child = child_of(c, m, CALL_GRAPH_GATEWAY);
        child.idempotency_key = c->idempotency_key;
        return adopt_problem(c, &child, run_call(callee, &child, in, out));
}

sn_status rpc_invoke(struct rpc_call *c, const struct rpc_method *m, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        CALL_ASSERT_NO_TRANSACTION(c);
        if (no_wait_refused()) { /* anything else the attempt does would be done again */
                return SN_UNAVAILABLE;
        }
        const char *caller = c->service != NULL ? c->service->name : "";
        if (!call_graph_allows(caller, m->service->name, m->name)) {
                return rpc_fail_code(c, SN_INTERNAL, "call_undeclared", NULL,
                                     "%s must not call %s: its contract does not name it in `calls` or `reads`",
                                     caller[0] != '\0' ? caller : "nobody", m->service->name);
        }
        const struct callee *callee = find_callee(m->service);
        if (callee == NULL) {
                return no_such_service(c, m);
        }
        struct rpc_call child = child_of(c, m, caller);
        return adopt_problem(c, &child, run_call(callee, &child, in, out));
}

/* ---- Health of remote services ---- */

static struct rpc_method health_method(const struct rpc_service *contract)
{
        return (struct rpc_method){
            .service = contract,
            .name = "Check",
            .full_name = "/grpc.health.v1.Health/Check",
            .in = &grpc__health__v1__health_check_request__message,
            .out = &grpc__health__v1__health_check_response__message,
            .access = RPC_PUBLIC,
            .deadline_ms = 2000,
        };
}

sn_status rpc_check_health(struct rpc_call *c, const struct rpc_service *contract)
{
        Grpc__Health__V1__HealthCheckRequest in = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
        Grpc__Health__V1__HealthCheckResponse out = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
        struct rpc_method method = health_method(contract);
        const struct callee *callee = find_callee(contract);
        if (callee == NULL) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the %s service is not installed here", contract->name);
        }
        if (callee->local != NULL) {
                return SN_OK;
        }
        struct rpc_call child = child_of(c, &method, CALL_GRAPH_GATEWAY);
        TRY(adopt_problem(c, &child,
                          sonet_grpc_channel_call(callee->channel, &child, &method, NULL, &in.base, &out.base)));
        return out.status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                   ? SN_OK
                   : rpc_fail(c, SN_UNAVAILABLE, NULL, "the %s service is not ready", contract->name);
}
