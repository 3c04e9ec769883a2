/* Shared by the files of the pools. One lock for all pools of the process: it is held for a few instructions per
 * request, and never while waiting for a server. Private to db/pool*.c. */
#ifndef DB_POOL_PARTS_H
#define DB_POOL_PARTS_H

#include <pthread.h>
#include "base/metrics.h"
#include "db/pool.h"

#define DB_SERVER_KEY_SIZE 300

struct db_server {
        struct db_server *next;
        int busy, references;
        char key[DB_SERVER_KEY_SIZE]; /* host and port */
};

struct db {
        char *name, *url;
        int max, busy, n_idle;
        struct db_server *server;
        struct db_connection *idle; /* most recently used first, so that superfluous ones become old */
        int64_t failing_since_us;   /* 0: the last connect succeeded */
        struct db_fence fence;
        struct db *next;
        struct metric *busy_gauge, *opened, *wait;
};

extern pthread_mutex_t db_pools_lock;
extern struct db *db_pools; /* all pools of this process */

/* pool.c, with the lock held: a connection is no longer in use. */
void db_give_place(struct db_connection *connection);

/* pool_reaper.c: one thread for all pools, asleep while nothing is idle. With the lock held; stopping releases it
 * for a moment. */
void db_reaper_start(void);
void db_reaper_stop(void);
void db_reaper_wake(void);
void db_reaper_expect(void); /* a connection became idle */
/* Without the lock. */
void db_close_all(struct db_connection *list);

#endif
