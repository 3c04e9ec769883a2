/* Owns checking consent. */
#include "services/analytics/consent.h"

#include "services/user/user.rpc.h"

sn_status consent_of_members(struct rpc_call *c, char **ids, size_t n, char ***given, size_t *n_given)
{
        User__BatchGetCountableRequest in = USER__BATCH_GET_COUNTABLE_REQUEST__INIT;
        User__CountableMembers out = USER__COUNTABLE_MEMBERS__INIT;

        in.n_ids = n;
        in.ids = ids;
        TRY(user_batch_get_countable(c, &in, &out));
        *given = out.ids;
        *n_given = out.n_ids;
        return SN_OK;
}

sn_status consent_of_actor(struct rpc_call *c, bool *given)
{
        char *ids[1] = {(char *)c->actor}, **countable = NULL;
        size_t n = 0;

        TRY(consent_of_members(c, ids, 1, &countable, &n));
        *given = n > 0;
        return SN_OK;
}
