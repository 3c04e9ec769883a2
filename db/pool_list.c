/* Owns the list of pools, the grouping by server, and their metric labels. */
#include "db/pool_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pthread_mutex_t db_pools_lock = PTHREAD_MUTEX_INITIALIZER;
struct db *db_pools;
static struct db_server *servers;

static void server_key(const char *url, char key[DB_SERVER_KEY_SIZE])
{
        PQconninfoOption *options = PQconninfoParse(url, NULL);
        const char *host = "", *port = "";

        for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
                if (o->val != NULL &&
                    (strcmp(o->keyword, "host") == 0 || (strcmp(o->keyword, "hostaddr") == 0 && !*host))) {
                        host = o->val;
                } else if (o->val != NULL && strcmp(o->keyword, "port") == 0) {
                        port = o->val;
                }
        }
        (void)snprintf(key, DB_SERVER_KEY_SIZE, "%s:%s", host, *port ? port : "5432");
        PQconninfoFree(options);
}

static struct db_server *server_ref(const char *url)
{
        char key[DB_SERVER_KEY_SIZE];
        struct db_server *s;

        server_key(url, key);
        for (s = servers; s != NULL && strcmp(s->key, key) != 0; s = s->next) {
        }
        if (s == NULL) {
                s = calloc(1, sizeof(*s));
                if (s == NULL) {
                        abort();
                }
                memcpy(s->key, key, sizeof(key));
                s->next = servers;
                servers = s;
        }
        s->references++;
        return s;
}

static void server_unref(struct db_server *server)
{
        struct db_server **link = &servers;

        if (--server->references > 0) {
                return;
        }
        while (*link != server) {
                link = &(*link)->next;
        }
        *link = server->next;
        free(server);
}

static void add_metrics(struct db *db)
{
        const char *labels = metrics_intern("database=\"%.64s\"", db->name);

        db->busy_gauge = metric_gauge("sonet_db_connections_busy", "Connections in use.", labels);
        db->opened = metric_counter("sonet_db_connections_opened_total", "Connections opened.", labels);
        db->wait = metric_histogram("sonet_db_wait_seconds", "Time that callers waited for a free connection.", labels);
}

struct db *db_new(const struct db_options *options)
{
        struct db *db = calloc(1, sizeof(*db));

        if (db == NULL || (db->name = strdup(options->name)) == NULL || (db->url = strdup(options->url)) == NULL) {
                abort();
        }
        db->max = options->max_connections > 0 ? options->max_connections : 1;
        add_metrics(db);
        (void)pthread_mutex_lock(&db_pools_lock);
        db->server = server_ref(db->url);
        db->next = db_pools;
        db_pools = db;
        db_reaper_start();
        (void)pthread_mutex_unlock(&db_pools_lock);
        return db;
}

void db_free(struct db *db)
{
        if (db == NULL) {
                return;
        }
        (void)pthread_mutex_lock(&db_pools_lock);
        struct db **link = &db_pools;

        while (*link != db) {
                link = &(*link)->next;
        }
        *link = db->next;
        server_unref(db->server);
        if (db_pools == NULL) {
                db_reaper_stop();
        }
        (void)pthread_mutex_unlock(&db_pools_lock);
        db_close_all(db->idle);
        free(db->name);
        free(db->url);
        free(db);
}

const char *db_name(const struct db *db)
{
        return db->name;
}

struct db_fence *db_fence(struct db *db)
{
        return &db->fence;
}

const char *db_url(const struct db *db)
{
        return db->url;
}
