/* Owns `sonet admin experiment`: recomputing the results of an experiment (services/analytics/verify.c). */
#include "services/analytics/experiments.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/uuid.h"
#include "cmd/admin/admin.h"

static sn_status admin_experiment_verify(struct admin *a, struct rpc_call *c)
{
        struct experiment_verdict verdict = {0};

        TRY(experiment_verify(c, a->words[0], &verdict));
        if (!verdict.saved) {
                return rpc_fail(
                    c, SN_FAILED_PRECONDITION, NULL,
                    "the experiment has not been stopped yet, so there are no stored results to compare with");
        }
        if (!verdict.same) {
                return rpc_fail(
                    c, SN_INTERNAL, NULL,
                    "the events do not reproduce the results that were stored when the experiment was stopped");
        }
        printf("results match: %" PRId64 " people\n", verdict.people);
        return SN_OK;
}

sn_status admin_experiment(struct admin *a, int n, char **words)
{
        if (n != 2 || strcmp(words[0], "verify") != 0 || !uuid_valid(words[1])) {
                buf_append_c(&a->error, "expected 'experiment verify ID'");
                return SN_INVALID_ARGUMENT;
        }
        a->words = words + 1;
        return admin_with_service(a, service_definition_find("analytics"), admin_experiment_verify);
}
