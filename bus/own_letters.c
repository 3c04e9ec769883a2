/* Owns the dead letters of work outside consumers, such as deliveries: they are listed and released like those of
 * events, and handled by the service itself. */
#include "bus/bus.h"

DB_STATEMENT(TAKE_OWN_LETTERS, "*", NULL,
             "delete from dead_letters where id = any(array(select id from dead_letters where replay_requested"
             " and consumer = $1 order by id limit $2 for update skip locked)) returning event");

sn_status bus_own_letters_take(struct db_tx *tx, const char *worker, int64_t limit, bus_event ***events, size_t *n)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &TAKE_OWN_LETTERS, DB_BINDS(bind_text(worker), bind_i64(limit)), &rows));
        *events = ARENA_ARRAY(db_arena(tx), bus_event *, db_rows_count(rows));
        *n = 0;
        for (size_t i = 0; i < db_rows_count(rows); i++) {
                size_t len;
                const uint8_t *packed = db_bytes(rows, i, "event", &len);
                bus_event *event = sonet__events__event__unpack(arena_protobuf_allocator(db_arena(tx)), len, packed);

                if (event == NULL) {
                        return rpc_fail(db_call(tx), SN_INTERNAL, NULL, "cannot decode a dead letter of %s", worker);
                }
                (*events)[(*n)++] = event;
        }
        return SN_OK;
}

DB_STATEMENT(PRUNE_OWN_LETTERS, "*", NULL,
             "delete from dead_letters where id = any(array(select id from dead_letters where consumer = $1"
             " and failed_at < now() - $2 * interval '1 day' limit $3 for update skip locked))");

sn_status bus_own_letters_prune(struct db_tx *tx, const char *worker, int64_t days, int64_t limit, int64_t *n)
{
        return db_exec(tx, &PRUNE_OWN_LETTERS, DB_BINDS(bind_text(worker), bind_i64(days), bind_i64(limit)), n);
}
