/* Owns checking consent. */
#include "services/analytics/consent.h"

#include "services/user/user.rpc.h"

sn_status consent_of_actor(struct rpc_call *c, bool *given)
{
        User__BatchGetCountableRequest in = USER__BATCH_GET_COUNTABLE_REQUEST__INIT;
        User__CountableMembers out = USER__COUNTABLE_MEMBERS__INIT;
        char *ids[1] = {(char *)c->actor};

        in.n_ids = 1;
        in.ids = ids;
        TRY(user_batch_get_countable(c, &in, &out));
        *given = out.n_ids > 0;
        return SN_OK;
}
