/* The session of a lease: one connection to one database, which holds a session advisory lock or keeps trying to. The
 * lock ends with the session, and the server ends a session that it has not heard of for LEASE_IDLE_MS: a holder that
 * is killed, stopped or cut off loses it without further help. Private to db/. */
#ifndef DB_LEASE_SESSION_H
#define DB_LEASE_SESSION_H

#include "db/connection.h"

#define LEASE_IDLE_MS  1500 /* idle_session_timeout, and how long a holder waits for an answer */
#define LEASE_TOUCH_MS 100  /* interval of a busy holder's checks, and of a waiting process's attempts */
#define LEASE_QUIET_MS 500  /* interval of an idle holder's checks: it checks again on demand */
#define LEASE_TRUST_MS 300  /* how long a holder relies on an answer, counted from when it sent the query */

enum lease_state {
        LEASE_HELD,
        LEASE_TAKEN,      /* another session holds it */
        LEASE_UNREACHABLE /* there is no session: the server is unreachable, or terminated it */
};

struct lease_session {
        const char *url, *name;
        PGconn *pg;
        int64_t alive;     /* an advisory lock held by this session until it ends: a new one for each session */
        int64_t asked_us;  /* on the boot clock: when the last query was sent */
        int64_t locked_us; /* on the boot clock: when it got the lock; 0: it does not have it */
        bool fenced;       /* the former owner's writes are over (db/fence.h); reset when the lock is lost */
};

/* Connects if necessary, then tries to take the lock; touches a session that has it. */
enum lease_state lease_session_try(struct lease_session *s);
/* Opens it, or touches it before the server ends it, without taking the lock: for a process that waits for another
 * lease, and then must not lose time with connecting. */
void lease_session_keep_open(struct lease_session *s);
/* Releases the lock and keeps the session. */
void lease_session_unlock(struct lease_session *s);
/* A touch in two halves, so that several sessions can be touched concurrently. The session must be open, and not be
 * queried in between. */
bool lease_session_ask(struct lease_session *s);
enum db_outcome lease_session_await(struct lease_session *s, int64_t deadline_us);
/* Runs a query on it; DB_LOST and DB_EXPIRED close it. */
enum db_outcome lease_session_query(struct lease_session *s, const char *sql, PGresult **result);
void lease_session_close(struct lease_session *s);

/* For poll(): readable when the server sends something, which without a query is only the end of the session. -1: no
 * session. */
int lease_session_fd(const struct lease_session *s);

#endif
