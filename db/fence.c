/* Owns waiting for the end of the former owner's writes. */
#include "db/fence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"

#define ENDED_US INT64_C(100000) /* for sessions that were terminated to end */

void db_fence_init(struct db_fence *fence, const char *service)
{
        *fence =
            (struct db_fence){.on = true, .service = service, .writers = db_lock_number("fence", service, NULL, NULL)};
}

/* One statement string is one implicit transaction: however it ends, both settings and lock are gone. */
static enum db_outcome lock_exclusively(const struct db_fence *fence, struct lease_session *s, int64_t until_us)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
        char sql[120];

        (void)snprintf(sql, sizeof(sql),
                       "set local lock_timeout = %" PRId64 "; select pg_advisory_xact_lock(%" PRId64 ")",
                       left_ms > 0 ? left_ms : 1, fence->writers); /* 0 would mean no limit */
        return lease_session_query(s, sql, &result);
}

/* The former owner may be stopped in the middle of a transaction, or its COMMIT may be delayed indefinitely. It was not
 * acknowledged, so ending its session decides whether it takes effect. */
static void end_writers(const struct db_fence *fence, struct lease_session *s)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        char sql[400];

        (void)snprintf(sql, sizeof(sql),
                       "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and granted"
                       " and database = (select oid from pg_database where datname = current_database())"
                       " and classid = %" PRIu32 " and objid = %" PRIu32
                       " and objsubid = 1 and pid <> pg_backend_pid()",
                       (uint32_t)((uint64_t)fence->writers >> 32), (uint32_t)fence->writers);
        if (lease_session_query(s, sql, &result) == DB_DONE) {
                log_event(LOG_LEVEL_WARN, "terminated transactions of the former owner",
                          LOG_STR("sonet.lease", s->name),
                          LOG_INT("sonet.transactions", strtol(PQgetvalue(result, 0, 0), NULL, 10)));
        }
}

bool db_fence_wait(const struct db_fence *fence, struct lease_session *s, int64_t until_us)
{
        if (!s->fenced) {
                enum db_outcome outcome = lock_exclusively(fence, s, until_us);

                if (outcome == DB_ERROR) {
                        end_writers(fence, s);
                        outcome = lock_exclusively(fence, s, clock_monotonic_us() + ENDED_US);
                }
                s->fenced = outcome == DB_DONE;
        }
        return s->fenced;
}
