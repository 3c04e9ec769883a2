/* RPC: one typed call. A function call if the service runs in this process, gRPC otherwise; both end in rpc_dispatch
 * of the service's process: access, validation, deadline, retries, metrics and log line. Callers use the generated
 * stubs: note_batch_get(c, &in, &out). */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/call.h"
#include "base/contract.h"
#include "base/service.h"
#include "base/str.h"
#include "base/workers.h"

struct rpc_lanes; /* the worker pools that requests of either transport run in (rpc/lanes.h) */

/* Registers where each service is. Called at start, before any thread. The contracts declare which services may call
 * which (`calls`, `reads`): rpc_invoke rejects other calls, and services/test_contracts.c rejects cycles. */
void rpc_register_local(struct service *service);
SN_CHECKED sn_status rpc_register_remote(const struct rpc_service *contract, const char *url, struct buf *error);
struct service *rpc_local_service(const char *name); /* NULL if it is in another process */
/* For tests: in-process calls encode and decode as if sent over the wire. */
void rpc_force_encoding(bool on);
/* Certificates for grpcs:// URLs; call it before rpc_register_remote. The texts must outlive the last call. */
struct grpc_tls;
void rpc_set_client_tls(const struct grpc_tls *tls);
/* Limits concurrent calls to one remote service; fewer than there are threads, so that a service that is not
 * responding leaves some for the others. Call it before rpc_register_remote. */
void rpc_set_max_calls(int calls);
/* Forgets all services and rate limits, and closes the channels to remote ones; call it at the end, when no call is
 * running. */
void rpc_close(void);

/* The sender of a request as the transport saw it: raw fields, {0} if absent. */
struct rpc_sender {
        const char *peer; /* the peer's address, without port */
        struct str authorization, service_token;
        const char *audience;    /* whom the service token must be intended for: the called service, or "gateway" */
        const char *certificate; /* the service named by a verified certificate, or "" */
        struct str user_agent;
        struct str forwarded, x_forwarded_for;   /* several fields of one name joined by commas, in order */
        struct str client_address, client_agent; /* set by our own services: the original client, */
        struct str admitted;                     /* and when the member's token was verified */
};

/* Authenticates a request: verifies the service token and the member's token, and fills in caller, client_address,
 * user_agent, actor, session, scope and bearer. SN_UNAUTHENTICATED if one is given and invalid, which is counted
 * against the address (rpc/rate_limit.h); SN_RESOURCE_EXHAUSTED once too many have failed, then without verifying
 * signatures of tokens that SoNet did not issue. c->method says whether the member's token counts
 * (contract_ignores_token). */
SN_CHECKED sn_status rpc_authenticate(struct rpc_call *c, const struct rpc_sender *sender);
/* Whether the session of a call authenticated a while ago is still open: checked at each piece of an incoming body
 * and at its end. Any thread, cheap. SN_UNAUTHENTICATED (token_revoked). */
SN_CHECKED sn_status rpc_check_session(struct rpc_call *c);
/* Whether this caller may call c->method. The dispatcher checks it first; the gateway checks it before reading a
 * body, so that a caller learns nothing about a method that it may not use. SN_UNAUTHENTICATED (token_missing),
 * SN_PERMISSION_DENIED (scope_missing), or as if unknown. */
SN_CHECKED sn_status rpc_check_access(struct rpc_call *c);

/* A request from outside (gateway): c carries the verified actor and bearer; runs the method in this process or
 * remotely. out is initialised. */
SN_CHECKED sn_status rpc_request(struct rpc_call *c, const struct rpc_method *m, const ProtobufCMessage *in,
                                 ProtobufCMessage *out);
/* A call by a service on its own behalf (what the generated stubs call): a child call with the caller's identity and
 * the same arena, deadline and trace. Problems of the callee are copied into c. Internal methods only see `caller`;
 * public ones also get the member's token. Aborts in debug builds if a transaction is open. */
SN_CHECKED sn_status rpc_invoke(struct rpc_call *c, const struct rpc_method *m, const ProtobufCMessage *in,
                                ProtobufCMessage *out);

/* SN_OK if the service is in this process, or reports SERVING by grpc.health.v1. */
SN_CHECKED sn_status rpc_check_health(struct rpc_call *c, const struct rpc_service *contract);

/* Runs a method of a local service (rpc/dispatch.c), the end of both transports: access → validation → handler,
 * again after a serialization failure (at most 5 times, with answer, problem and arena reset) → ownership confirmed
 * → metrics → one log line. */
SN_CHECKED sn_status rpc_dispatch(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out);

/* Checks a message against its rules (rpc/validate.c) and lowercases IDs. SN_INVALID_ARGUMENT (validation_failed),
 * with the dotted field ("user_ids[3]") and a sentence. */
SN_CHECKED sn_status rpc_validate(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *message);
/* At start: compiles what requests of a contract are validated with. */
void rpc_validate_prepare(const struct rpc_service *contract);
/* Scans packed bytes before protobuf-c unpacks them (rpc/scan.c): UTF-8, NUL, depth, list sizes, truncated or
 * overlong fields. SN_INVALID_ARGUMENT with the field. Safe on any input. */
SN_CHECKED sn_status rpc_scan(struct rpc_call *c, const struct rpc_message *type, const uint8_t *bytes, size_t len);
/* Scans and unpacks into the call's arena. */
SN_CHECKED sn_status rpc_unpack(struct rpc_call *c, const struct rpc_message *type, const uint8_t *bytes, size_t len,
                                ProtobufCMessage **out);
/* Packs into the call's arena. */
uint8_t *rpc_pack(struct arena *arena, const ProtobufCMessage *message, size_t *len);

#endif
