/* The health service. The server's owner determines readiness; this only implements the protocol. */
#include "rpc/health.h"

#include <string.h>

#include "grpc/health/v1/health.rpc.h"

/* "sonet.note.v1.NoteService" of a local service: the part between the slashes in its methods' paths. */
static bool is_local_service(const char *name)
{
        const struct rpc_service *const *contracts;
        size_t n = contract_services(&contracts);
        for (size_t i = 0; i < n; i++) {
                if (contracts[i]->n_methods == 0 || rpc_local_service(contracts[i]->name) == NULL) {
                        continue;
                }
                const char *path = contracts[i]->methods[0].full_name + 1;
                struct str full = {path, strcspn(path, "/")};
                if (str_equal_c(full, name)) {
                        return true;
                }
        }
        return false;
}

sn_status health_check(struct rpc_call *c, const uint8_t *bytes, size_t len, bool ready, ProtobufCMessage **answer)
{
        ProtobufCMessage *unpacked;
        TRY(rpc_unpack(c, &grpc__health__v1__health_check_request__message, bytes, len, &unpacked));
        const Grpc__Health__V1__HealthCheckRequest *in = (const Grpc__Health__V1__HealthCheckRequest *)unpacked;
        if (in->service[0] != '\0' && !is_local_service(in->service)) {
                return rpc_fail(c, SN_NOT_FOUND, "service", "no such service");
        }
        Grpc__Health__V1__HealthCheckResponse *out = ARENA_NEW(c->arena, Grpc__Health__V1__HealthCheckResponse);
        grpc__health__v1__health_check_response__init(out);
        out->status = ready ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                            : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
        *answer = &out->base;
        return SN_OK;
}
