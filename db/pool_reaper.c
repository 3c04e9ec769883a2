/* Owns the reaper: it closes connections that have been idle for long, and those that callers gave up, so that no
 * caller with a deadline waits for a dead host. */
#include "db/pool_parts.h"

#include "base/clock.h"
#include "base/ticker.h"

#define IDLE_MS 60000

static int64_t idle_us = (int64_t)IDLE_MS * 1000;
static struct ticker *reaper;
static struct db_connection *given_up;
static bool at_rest; /* no connection has become idle since it last found none */

/* Takes the connections of all pools that have been idle since before_us, as a list. *oldest_us: since when the oldest
 * of the others has been idle; 0 if there are none. */
static struct db_connection *take_idle_since(int64_t before_us, int64_t *oldest_us)
{
        struct db_connection *due = NULL;

        *oldest_us = 0;
        for (struct db *db = db_pools; db != NULL; db = db->next) {
                struct db_connection **link = &db->idle;

                while (*link != NULL && (*link)->idle_since_us > before_us) {
                        if (*oldest_us == 0 || (*link)->idle_since_us < *oldest_us) {
                                *oldest_us = (*link)->idle_since_us;
                        }
                        link = &(*link)->next;
                }
                while (*link != NULL) { /* the list is sorted: the rest is older still */
                        struct db_connection *old = *link;

                        *link = old->next;
                        old->next = due;
                        due = old;
                        db->n_idle--;
                }
        }
        return due;
}

void db_close_all(struct db_connection *list)
{
        while (list != NULL) {
                struct db_connection *next = list->next;

                db_connection_close(list);
                list = next;
        }
}

static int64_t close_unused_connections(void *unused)
{
        int64_t oldest_us, now_us = clock_monotonic_us();

        (void)pthread_mutex_lock(&db_pools_lock);
        struct db_connection *doomed = given_up, *due = take_idle_since(now_us - idle_us, &oldest_us);

        given_up = NULL;
        at_rest = oldest_us == 0;
        int64_t next_ms = at_rest ? TICKER_IDLE : (oldest_us + idle_us - now_us) / 1000 + 1;

        (void)pthread_mutex_unlock(&db_pools_lock);
        db_close_all(doomed);
        db_close_all(due);
        return next_ms;
}

void db_reaper_start(void)
{
        if (reaper == NULL) {
                reaper = ticker_new("db-reaper", close_unused_connections, NULL);
        }
}

void db_reaper_stop(void)
{
        struct ticker *stopped = reaper;

        reaper = NULL;
        (void)pthread_mutex_unlock(&db_pools_lock);
        ticker_free(stopped);
        (void)close_unused_connections(NULL); /* connections given up since its last tick */
        (void)pthread_mutex_lock(&db_pools_lock);
}

void db_reaper_wake(void)
{
        if (reaper != NULL) {
                ticker_wake(reaper);
        }
}

void db_reaper_expect(void)
{
        if (at_rest) {
                at_rest = false;
                db_reaper_wake();
        }
}

void db_give_up(struct db_connection *connection, bool cancel)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        connection->cancel = cancel;
        connection->next = given_up;
        given_up = connection;
        db_reaper_wake();
        db_give_place(connection);
        (void)pthread_mutex_unlock(&db_pools_lock);
}

void db_set_idle_ms(int64_t ms)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        idle_us = ms * 1000;
        db_reaper_wake();
        (void)pthread_mutex_unlock(&db_pools_lock);
}
