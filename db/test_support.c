/* Owns the databases that tests create on the private server of tests/with-servers. */
#include "db/test_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include "base/clock.h"

const char *test_admin_url(void)
{
        const char *url = getenv("SONET_TEST_ADMIN_URL");

        if (url == NULL) {
                fprintf(stderr, "run this under tests/with-servers\n");
                exit(77);
        }
        return url;
}

void test_url(char out[300], const char *role, const char *database)
{
        PQconninfoOption *options = PQconninfoParse(test_admin_url(), NULL);

        for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
                if (strcmp(o->keyword, "host") == 0) {
                        (void)snprintf(out, 300, "postgresql://%s@/%s?host=%s", role, database, o->val);
                }
        }
        PQconninfoFree(options);
}

PGconn *test_admin_connect(const char *database)
{
        const char *keys[] = {"dbname", "dbname", NULL};
        const char *values[] = {test_admin_url(), database, NULL};
        PGconn *pg = NULL;

        for (int tries = 0; tries < 400; tries++) { /* the server may be recovering from a test */
                pg = PQconnectdbParams(keys, values, 1);
                if (PQstatus(pg) == CONNECTION_OK) {
                        return pg;
                }
                PQfinish(pg);
                clock_sleep_ms(50);
        }
        fail_msg("no connection to %s", database);
        return NULL;
}

/* The connection for single statements, to the database that was asked last: most tests ask one again and again, and
 * opening a connection costs more than the answer. */
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static PGconn *kept;

static bool is_usable(PGconn *pg, const char *database)
{
        struct pollfd p = {.fd = PQsocket(pg), .events = POLLIN};

        return PQstatus(pg) == CONNECTION_OK && strcmp(PQdb(pg), database) == 0 && poll(&p, 1, 0) == 0;
}

static PGconn *keep_connection(const char *database)
{
        if (!is_usable(kept, database)) {
                PQfinish(kept);
                kept = test_admin_connect(database);
        }
        return kept;
}

/* Returns NULL, with the reason in error, if it fails. */
static const char *first_value(PGconn *pg, const char *sql, char error[1000])
{
        static __thread char value[256];
        PGresult *result = PQexec(pg, sql);
        ExecStatusType status = PQresultStatus(result);

        (void)snprintf(value, sizeof(value), "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
        (void)snprintf(error, 1000, "%s", PQerrorMessage(pg));
        PQclear(result);
        return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ? value : NULL;
}

const char *test_admin_once(const char *database, const char *sql)
{
        char error[1000];
        PGconn *pg = test_admin_connect(database);
        const char *value = first_value(pg, sql, error);

        PQfinish(pg);
        if (value == NULL) {
                fail_msg("%s: %s", sql, error);
        }
        return value;
}

const char *test_admin(const char *database, const char *sql)
{
        char error[1000];

        if (pthread_mutex_trylock(&kept_lock) != 0) { /* another thread's statement is running */
                return test_admin_once(database, sql);
        }
        const char *value = first_value(keep_connection(database), sql, error);

        (void)pthread_mutex_unlock(&kept_lock);
        if (value == NULL) {
                fail_msg("%s: %s", sql, error);
        }
        return value;
}

void test_wait_for(const char *database, const char *sql)
{
        int64_t until_us = clock_monotonic_us() + 20000000;

        while (strcmp(test_admin(database, sql), "t") != 0) {
                if (clock_monotonic_us() > until_us) {
                        fail_msg("never came true: %s", sql);
                }
                clock_sleep_ms(10);
        }
}

PGconn *test_hold_commits(const char *database)
{
        PGconn *pg = test_admin_connect(database);

        PQclear(PQexec(pg, "select pg_advisory_lock(42)"));
        return pg;
}

void test_wait_until_committing(const char *database)
{
        char sql[200];

        (void)snprintf(sql, sizeof(sql),
                       "select count(*) = 1 from pg_stat_activity where datname = '%s' and wait_event = 'advisory' and "
                       "query = 'commit'",
                       database);
        test_wait_for("postgres", sql);
}

void test_database_new(struct test_database *t, const struct db_migration *migrations, size_t n, int max_connections)
{
        static int count;
        struct buf error;

        *t = (struct test_database){.service = {.name = "test"}};
        (void)snprintf(t->name, sizeof(t->name), "test_%d_%d", (int)getpid(), ++count);
        test_url(t->url, t->name, t->name);
        buf_init(&error, 4096);
        if (db_provision(test_admin_url(), &(struct db_schema){t->name, migrations, n}, NULL, &error) != SN_OK) {
                fail_msg("%s", error.data);
        }
        buf_free(&error);
        t->db = db_new(&(struct db_options){.name = t->name, .url = t->url, .max_connections = max_connections});
        t->service.db = t->db;
}

void test_database_free(struct test_database *t)
{
        char sql[128];

        db_free(t->db);
        (void)snprintf(sql, sizeof(sql), "drop database %s with (force)", t->name);
        (void)test_admin("postgres", sql);
}

static _Atomic int64_t ahead_us, suspended_us;

static int64_t read_us(clockid_t clock)
{
        struct timespec now;

        (void)clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t moved_monotonic_us(void)
{
        return read_us(CLOCK_MONOTONIC) + atomic_load(&ahead_us);
}

static int64_t moved_boot_us(void)
{
        return read_us(CLOCK_BOOTTIME) + atomic_load(&ahead_us) + atomic_load(&suspended_us);
}

void test_clock_movable(void)
{
        clock_set_source(&(struct clock_source){.monotonic_us = moved_monotonic_us, .boot_us = moved_boot_us});
}

void test_clock_move(int64_t by_us)
{
        atomic_fetch_add(&ahead_us, by_us);
}

void test_clock_suspend(int64_t for_us)
{
        atomic_fetch_add(&suspended_us, for_us);
}
