/* Owns adding events to the log: rows inserted in the transaction that causes them. */
#include "base/uuid.h"
#include "bus/bus.h"

DB_STATEMENT(INSERT_EVENT, "*", NULL,
             "insert into outbox (event_id, type, aggregate_id, object_id, actor_id, version, trace_id, occurred_at)"
             " values ($1, $2, $3, $4, $5, $6, $7, $8)");

static sn_status assign_positions(struct db_tx *tx, void *relay)
{
        return bus_relay_assign(relay, tx);
}

static void tell_relay(struct db_tx *tx)
{
        struct bus_relay *relay = db_call(tx)->service->relay;

        if (relay != NULL) {
                db_before_commit(tx, assign_positions, relay);
        }
}

static const char *trace_of(const struct rpc_call *c, const struct outbox_event *event)
{
        const char *trace_id = event->trace_id != NULL ? event->trace_id : c->trace_id;

        return trace_id != NULL ? trace_id : "";
}

sn_status outbox_put(struct db_tx *tx, const struct outbox_event *event)
{
        struct rpc_call *c = db_call(tx);
        const char *actor = event->actor_id != NULL ? event->actor_id : c->actor;

        TRY(db_exec_later(tx, &INSERT_EVENT,
                          DB_BINDS(bind_uuid(uuid_new_in(c->arena)), bind_text(event->type),
                                   bind_uuid(event->aggregate_id), bind_uuid(event->object_id), bind_uuid(actor),
                                   bind_i64(event->version), bind_text(trace_of(c, event)), bind_time_ms(c->now_ms))));
        tell_relay(tx);
        return SN_OK;
}

DB_STATEMENT(INSERT_EVENTS_LISTED, "*", NULL,
             "insert into outbox (event_id, type, aggregate_id, object_id, actor_id, version, trace_id, occurred_at)"
             " select e.event_id, e.type, e.aggregate_id, e.object_id, e.actor_id, e.version, e.trace_id, $8"
             " from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[])"
             " with ordinality as e (event_id, type, aggregate_id, object_id, actor_id, version, trace_id, place)"
             " order by e.place");

sn_status outbox_put_all(struct db_tx *tx, const struct outbox_event *events, size_t n)
{
        struct rpc_call *c = db_call(tx);
        char **ids = ARENA_ARRAY(c->arena, char *, n), **types = ARENA_ARRAY(c->arena, char *, n);
        char **aggregates = ARENA_ARRAY(c->arena, char *, n), **objects = ARENA_ARRAY(c->arena, char *, n);
        char **actors = ARENA_ARRAY(c->arena, char *, n), **traces = ARENA_ARRAY(c->arena, char *, n);
        int64_t *versions = ARENA_ARRAY(c->arena, int64_t, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = uuid_new_in(c->arena);
                types[i] = (char *)events[i].type;
                aggregates[i] = (char *)events[i].aggregate_id;
                objects[i] = (char *)events[i].object_id;
                actors[i] = (char *)(events[i].actor_id != NULL ? events[i].actor_id : c->actor);
                versions[i] = events[i].version;
                traces[i] = (char *)trace_of(c, &events[i]);
        }
        if (n == 0) {
                return SN_OK;
        }
        TRY(db_exec_later(tx, &INSERT_EVENTS_LISTED,
                          DB_BINDS(bind_uuids(ids, n), bind_texts(types, n), bind_uuids(aggregates, n),
                                   bind_uuids(objects, n), bind_uuids(actors, n), bind_i64s(versions, n),
                                   bind_texts(traces, n), bind_time_ms(c->now_ms))));
        tell_relay(tx);
        return SN_OK;
}
