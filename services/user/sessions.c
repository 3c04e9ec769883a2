/* Owns ending sessions. */
#include "services/user/user.h"

#include <inttypes.h>
#include "services/user/audit.h"
#include "services/user/session.h"
#include "services/user/store.h"
#include "services/user/store_email.h"

sn_status user_handle_log_out(struct rpc_call *c, const User__LogOutRequest *in, Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool ended = false;

        TRY(db_begin(c, &tx));
        TRY(session_end(tx, c->session, c->actor, &ended));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_end_session(struct rpc_call *c, const User__EndSessionRequest *in, Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool ended = false;

        TRY(db_begin(c, &tx));
        TRY(store_lock_member(tx, c->actor));
        TRY(session_end(tx, in->id, c->actor, &ended));
        if (!ended) {
                return rpc_fail(c, SN_NOT_FOUND, "id", "you have no active session with this ID");
        }
        /* Another user of the session may have requested a change of address. */
        TRY(store_drop_email_change(tx, c->actor));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_end_other_sessions(struct rpc_call *c, const User__EndOtherSessionsRequest *in,
                                         Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int64_t ended = 0;

        TRY(db_begin(c, &tx));
        TRY(session_end_others(tx, c->actor, c->session, &ended));
        TRY(store_drop_email_change(tx, c->actor));
        if (ended > 0) {
                TRY(AUDIT(tx, .action = "sessions.ended",
                          .after = AUDIT_VALUES("ended", arena_printf(c->arena, "%" PRId64, ended))));
        }
        return db_commit(c, NULL, &tx);
}
