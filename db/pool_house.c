/* Owns the housekeeper: it closes connections that were idle for long, and those that callers gave up, so that nobody
 * who has a deadline waits for a dead host. */
#include "db/pool_parts.h"

#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"

#define IDLE_MS 60000

static int64_t idle_us = (int64_t)IDLE_MS * 1000;
static pthread_t housekeeper;
static bool housekeeper_runs, housekeeper_stops;
static pthread_cond_t housekeeper_cond;
static struct db_connection *graveyard;

/* Of all pools: idle connections that are due. until_us gets the moment when the next one is. */
static struct db_connection *take_idle_since(int64_t before_us, int64_t *oldest_us)
{
        struct db_connection *due = NULL;

        *oldest_us = 0;
        for (struct db *db = db_pools; db; db = db->next) {
                struct db_connection **link = &db->idle;

                while (*link && (*link)->idle_since_us > before_us) {
                        if (*oldest_us == 0 || (*link)->idle_since_us < *oldest_us) {
                                *oldest_us = (*link)->idle_since_us;
                        }
                        link = &(*link)->next;
                }
                while (*link) { /* the list is sorted: the rest is older still */
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
        while (list) {
                struct db_connection *next = list->next;

                db_connection_close(list);
                list = next;
        }
}

static void *keep_house(void *unused)
{
        (void)unused;
        (void)pthread_mutex_lock(&db_pools_lock);
        while (!housekeeper_stops || graveyard) {
                int64_t oldest_us;
                struct db_connection *dead = graveyard;
                struct db_connection *due = take_idle_since(clock_monotonic_us() - idle_us, &oldest_us);

                graveyard = NULL;
                if (dead || due) {
                        (void)pthread_mutex_unlock(&db_pools_lock);
                        db_close_all(dead);
                        db_close_all(due);
                        (void)pthread_mutex_lock(&db_pools_lock);
                } else if (oldest_us) {
                        (void)db_cond_wait_until(&housekeeper_cond, oldest_us + idle_us + 1000);
                } else {
                        (void)pthread_cond_wait(&housekeeper_cond, &db_pools_lock);
                }
        }
        (void)pthread_mutex_unlock(&db_pools_lock);
        return NULL;
}

void db_house_start(void)
{
        if (housekeeper_runs) {
                return;
        }
        db_cond_init(&housekeeper_cond);
        housekeeper_stops = false;
        housekeeper_runs = pthread_create(&housekeeper, NULL, keep_house, NULL) == 0;
        if (!housekeeper_runs) {
                log_event(LOG_LEVEL_ERROR, "no thread for the database pools");
                abort();
        }
        (void)pthread_setname_np(housekeeper, "db-house");
}

void db_house_stop(void)
{
        housekeeper_stops = true;
        (void)pthread_cond_signal(&housekeeper_cond);
        (void)pthread_mutex_unlock(&db_pools_lock);
        (void)pthread_join(housekeeper, NULL);
        (void)pthread_mutex_lock(&db_pools_lock);
        housekeeper_runs = false;
        (void)pthread_cond_destroy(&housekeeper_cond);
}

void db_house_wake(void)
{
        if (housekeeper_runs) {
                (void)pthread_cond_signal(&housekeeper_cond);
        }
}

void db_bury(struct db_connection *connection, bool cancel)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        connection->cancel = cancel;
        connection->next = graveyard;
        graveyard = connection;
        db_house_wake();
        db_give_place(connection->db);
        (void)pthread_mutex_unlock(&db_pools_lock);
}

void db_set_idle_ms(int64_t ms)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        idle_us = ms * 1000;
        db_house_wake();
        (void)pthread_mutex_unlock(&db_pools_lock);
}
