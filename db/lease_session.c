/* Owns opening, querying and closing a lease's session. */
#include "db/lease_session.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include "base/clock.h"

#define ANSWER_US  INT64_C(1500000)
#define CONNECT_US INT64_C(2000000)

/* The keepalives are for the moments in which the session is not idle: a server that waits for a lock, or to be read.
 */
#define SET_UP                                                                                                         \
        "set application_name = 'sonet lease'; set idle_session_timeout = %d; set tcp_user_timeout = %d;"              \
        " set tcp_keepalives_idle = 1; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 2;"                 \
        " select pg_advisory_lock(%" PRId64 ")"

void lease_session_close(struct lease_session *s)
{
        PQfinish(s->pg);
        s->pg = NULL;
        s->locked_us = 0;
        s->fenced = false;
}

enum db_outcome lease_session_query(struct lease_session *s, const char *sql, PGresult **result)
{
        s->asked_us = clock_boot_us();
        enum db_outcome outcome = db_pg_query(s->pg, sql, clock_monotonic_us() + ANSWER_US, result);

        if (outcome == DB_LOST || outcome == DB_EXPIRED) {
                lease_session_close(s);
        }
        return outcome;
}

static bool open_session(struct lease_session *s)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        char sql[400];

        if (db_pg_connect(s->url, clock_monotonic_us() + CONNECT_US, &s->pg, NULL, 0) != DB_DONE) {
                return false;
        }
        random_bytes(&s->alive, sizeof(s->alive));
        (void)snprintf(sql, sizeof(sql), SET_UP, LEASE_IDLE_MS, LEASE_IDLE_MS, s->alive);
        if (lease_session_query(s, sql, &result) != DB_DONE) {
                lease_session_close(s);
                return false;
        }
        return true;
}

static int64_t lock_number(const struct lease_session *s)
{
        return db_lock_number("lease", s->name, NULL, NULL);
}

enum lease_state lease_session_try(struct lease_session *s)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        char sql[80];

        if (s->pg == NULL && !open_session(s)) {
                return LEASE_UNREACHABLE;
        }
        (void)snprintf(sql, sizeof(sql), s->locked_us ? "select true" : "select pg_try_advisory_lock(%" PRId64 ")",
                       lock_number(s));
        if (lease_session_query(s, sql, &result) != DB_DONE) {
                lease_session_close(s);
                return LEASE_UNREACHABLE;
        }
        if (*PQgetvalue(result, 0, 0) != 't') {
                return LEASE_TAKEN;
        }
        if (!s->locked_us) {
                s->locked_us = clock_boot_us();
        }
        return LEASE_HELD;
}

/* Without a query the server sends only the end of the session. */
static bool has_ended(const struct lease_session *s)
{
        struct pollfd p = {.fd = PQsocket(s->pg), .events = POLLIN};

        return poll(&p, 1, 0) > 0;
}

void lease_session_keep_open(struct lease_session *s)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        if (s->pg == NULL) {
                (void)open_session(s);
        } else if (clock_boot_us() - s->asked_us > LEASE_QUIET_MS * INT64_C(1000) || has_ended(s)) {
                (void)lease_session_query(s, "select true", &result);
        }
}

void lease_session_unlock(struct lease_session *s)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        char sql[80];

        if (!s->locked_us) {
                return;
        }
        (void)snprintf(sql, sizeof(sql), "select pg_advisory_unlock(%" PRId64 ")", lock_number(s));
        if (lease_session_query(s, sql, &result) != DB_DONE) {
                lease_session_close(s); /* and the lock with it */
        }
        s->locked_us = 0;
        s->fenced = false;
}

bool lease_session_ask(struct lease_session *s)
{
        return PQsendQuery(s->pg, "select 1");
}

enum db_outcome lease_session_await(struct lease_session *s, int64_t deadline_us)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        return db_pg_wait(s->pg, deadline_us, &result);
}

int lease_session_fd(const struct lease_session *s)
{
        return s->pg != NULL ? PQsocket(s->pg) : -1;
}
