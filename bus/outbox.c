/* Owns how an event enters the log: a row in the transaction that causes it. */
#include "base/uuid.h"
#include "bus/bus.h"

DB_STATEMENT(INSERT_EVENT, "*", NULL,
             "insert into outbox (event_id, type, aggregate_id, object_id, actor_id, version, trace_id, occurred_at)"
             " values ($1, $2, $3, $4, $5, $6, $7, $8)");

static void wake(void *relay)
{
        bus_relay_wake(relay);
}

sn_status outbox_put(struct db_tx *tx, const struct outbox_event *event)
{
        struct rpc_call *c = db_call(tx);
        const char *actor = event->actor_id != NULL ? event->actor_id : c->actor;

        TRY(db_exec_later(tx, &INSERT_EVENT,
                          DB_BINDS(bind_uuid(uuid_new_in(c->arena)), bind_text(event->type),
                                   bind_uuid(event->aggregate_id), bind_uuid(event->object_id), bind_uuid(actor),
                                   bind_i64(event->version), bind_text(c->trace_id != NULL ? c->trace_id : ""),
                                   bind_time_ms(c->now_ms))));
        if (c->service->relay != NULL) {
                db_on_commit(tx, wake, c->service->relay);
        }
        return SN_OK;
}
