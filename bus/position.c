/* Owns consumer_positions: up to where each source was taken. A stored position never goes back, but for a log that was
 * restored. */
#include "bus/delivery.h"

#include <string.h>

#define CALL_MS 10000

DB_STATEMENT(SELECT_POSITIONS, "*", NULL, "select source, position from consumer_positions");

DB_STATEMENT(STORE_POSITIONS, "*", NULL,
             "insert into consumer_positions (source, position) select * from unnest($1::text[], $2::bigint[])"
             " on conflict (source) do update set position = excluded.position"
             " where consumer_positions.position < excluded.position");

sn_status bus_position_advance(struct db_tx *tx, const char *source, int64_t position, bool *advanced)
{
        char *sources[] = {(char *)source};
        int64_t affected;

        TRY(db_exec(tx, &STORE_POSITIONS, DB_BINDS(bind_texts(sources, 1), bind_i64s(&position, 1)), &affected));
        *advanced = affected == 1;
        return SN_OK;
}

sn_status bus_positions_load(struct service *service, struct bus_source *sources, size_t n)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, CALL_MS);
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        struct db_rows *rows;

        TRY(db_read(c, &tx));
        TRY(db_rows(tx, &SELECT_POSITIONS, DB_NO_BINDS, &rows));
        for (size_t i = 0; i < n; i++) {
                sources[i].position = 0;
                for (size_t row = 0; row < db_rows_count(rows); row++) {
                        if (strcmp(db_text(rows, row, "source"), sources[i].name) == 0) {
                                sources[i].position = db_i64(rows, row, "position");
                        }
                }
                sources[i].stored = sources[i].position;
                sources[i].behind = true;
                sources[i].log_id[0] = '\0';
                sources[i].retry_at_us = 0;
                sources[i].batch = BUS_BATCH_MAX;
                sources[i].attempts = sources[i].waits = 0;
        }
        return SN_OK;
}

static sn_status store(struct rpc_call *c, char **names, const int64_t *positions, size_t n)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(db_exec(tx, &STORE_POSITIONS, DB_BINDS(bind_texts(names, n), bind_i64s(positions, n)), NULL));
        return db_commit(c, NULL, &tx);
}

sn_status bus_positions_store(struct service *service, struct bus_source *sources, size_t n)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, CALL_MS);
        char *names[BUS_MAX_SOURCES];
        int64_t positions[BUS_MAX_SOURCES];
        size_t changed = 0;

        for (size_t i = 0; i < n; i++) {
                if (sources[i].position > sources[i].stored) {
                        names[changed] = (char *)sources[i].name;
                        positions[changed++] = sources[i].position;
                }
        }
        if (changed == 0) {
                return SN_OK;
        }
        TRY(store(c, names, positions, changed));
        for (size_t i = 0; i < n; i++) {
                sources[i].stored = sources[i].position;
        }
        return SN_OK;
}

DB_STATEMENT(REWIND_POSITION, "*", NULL,
             "update consumer_positions set position = $2 where source = $1 and position > $2");

sn_status bus_position_rewind(struct service *service, struct bus_source *source, int64_t position)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, CALL_MS);
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(db_exec(tx, &REWIND_POSITION, DB_BINDS(bind_text(source->name), bind_i64(position)), NULL));
        TRY(db_commit(c, NULL, &tx));
        source->position = source->stored = position;
        return SN_OK;
}
