/* RPC: one typed call. A function call when the service runs in this process, gRPC otherwise; both end in rpc_dispatch
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

/* Where each service is. Called at start, before any thread. Who may call whom is declared in the contracts (`calls`,
 * `reads`): rpc_invoke refuses other calls, and services/test_contracts.c refuses cycles. */
void rpc_register_local(struct service *service);
SN_CHECKED sn_status rpc_register_remote(const struct rpc_service *contract, const char *url, struct buf *error);
struct service *rpc_local_service(const char *name); /* NULL when it is elsewhere */
/* Tests: in-process calls encode and decode as if they went over the wire. */
void rpc_force_encoding(bool on);
/* Certificates for grpcs:// URLs; call it before rpc_register_remote. The texts must outlive the process's last call.
 */
struct grpc_tls;
void rpc_set_client_tls(const struct grpc_tls *tls);
/* How many calls may be with one remote service at a time, fewer than there are threads, so that one that does not
 * answer leaves some to the others. Call it before rpc_register_remote. */
void rpc_set_max_calls(int calls);
/* Forgets all services and rate limits, and closes the channels to remote ones: at the end, when no call runs. */
void rpc_close(void);

/* Who sends a request, as a transport saw it: fields as they came over the wire, {0} when absent. */
struct rpc_sender {
        const char *peer; /* the connection's other end: an address without port */
        struct str authorization, service_token;
        const char *audience;    /* whom the service token must be meant for: the service asked, or "gateway" */
        const char *certificate; /* the service that a verified certificate names, or "" */
        struct str user_agent;
        struct str forwarded, x_forwarded_for;   /* several of one name joined by commas, in their order */
        struct str client_address, client_agent; /* what one of our own services says of its client, */
        struct str admitted;                     /* and of when it verified the member's token */
};

/* Credentials to identity: verifies the service token and the member's token, and fills in caller, client_address,
 * user_agent, actor, session, scope and bearer. SN_UNAUTHENTICATED when one is given and bad, which costs the address
 * (rpc/rate_limit.h); SN_RESOURCE_EXHAUSTED once its failures are spent, without checking the signature of a token
 * that SoNet did not give. c->method says whether the member's token counts (contract_ignores_token). */
SN_CHECKED sn_status rpc_authenticate(struct rpc_call *c, const struct rpc_sender *sender);
/* Whether the session of a call that was authenticated a while ago is still open: asked at each piece of a body that
 * comes, and when all of it has come. Any thread, cheap. SN_UNAUTHENTICATED, token_revoked. */
SN_CHECKED sn_status rpc_check_session(struct rpc_call *c);
/* May this caller call c->method at all? The dispatcher asks it first; the gateway asks before it reads a body, so that
 * a caller learns nothing of a method that it may not use. SN_UNAUTHENTICATED (token_missing), SN_PERMISSION_DENIED
 * (scope_missing), or as if unknown. */
SN_CHECKED sn_status rpc_check_access(struct rpc_call *c);

/* A request from outside (gateway): c carries the verified actor and bearer; runs the method here or there. out is
 * initialised. */
SN_CHECKED sn_status rpc_request(struct rpc_call *c, const struct rpc_method *m, const ProtobufCMessage *in,
                                 ProtobufCMessage *out);
/* A call by a service, in its own name (what the generated stubs call): a child call with the caller's identity, the
 * same arena, deadline and trace. Problems of the callee are copied into c. Internal methods only see `caller`; the
 * member's token goes along for public ones. Aborts in debug builds while a transaction is open. */
SN_CHECKED sn_status rpc_invoke(struct rpc_call *c, const struct rpc_method *m, const ProtobufCMessage *in,
                                ProtobufCMessage *out);

/* SN_OK when the service is in this process, or says by grpc.health.v1 that it serves. */
SN_CHECKED sn_status rpc_check_health(struct rpc_call *c, const struct rpc_service *contract);

/* Runs a method of a local service (rpc/dispatch.c), the end of both transports: access → validation → handler, again
 * after a serialization failure (at most 5 times, answer, problem and arena reset) → ownership confirmed → metrics →
 * one log line. */
SN_CHECKED sn_status rpc_dispatch(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out);

/* Checks a message against its rules (rpc/validate.c), and brings ids to lowercase. SN_INVALID_ARGUMENT, code
 * validation_failed, with the dotted field ("user_ids[3]") and a sentence. */
SN_CHECKED sn_status rpc_validate(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *message);
/* At start: compiles what the requests of a contract are checked with. */
void rpc_validate_prepare(const struct rpc_service *contract);
/* Scans packed bytes before protobuf-c unpacks them (rpc/scan.c): UTF-8, NUL, depth, counts of lists, truncated or
 * overlong fields. SN_INVALID_ARGUMENT with the field. Safe on any bytes. */
SN_CHECKED sn_status rpc_scan(struct rpc_call *c, const struct rpc_message *type, const uint8_t *bytes, size_t len);
/* scan + unpack into the call's arena. */
SN_CHECKED sn_status rpc_unpack(struct rpc_call *c, const struct rpc_message *type, const uint8_t *bytes, size_t len,
                                ProtobufCMessage **out);
/* Packs into the call's arena. */
uint8_t *rpc_pack(struct arena *arena, const ProtobufCMessage *message, size_t *len);

#endif
