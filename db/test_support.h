/* Shared by the tests of db/ (and of the folders above it): a fresh database each, calls, and administrator access. */
#ifndef DB_TEST_SUPPORT_H
#define DB_TEST_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/service.h"
#include "db/db.h"
#include "db/migrate.h"

struct test_database {
        char name[64]; /* unique */
        char url[300]; /* as the app role */
        struct db *db;
        struct service service;
};

/* Provisions it with the platform's and these migrations. Fails the test on errors. */
void test_database_new(struct test_database *t, const struct db_migration *migrations, size_t n, int max_connections);
void test_database_free(struct test_database *t);
const char *test_admin_url(void);
void test_url(char out[300], const char *role, const char *database);

/* Runs a statement as administrator. Returns the first value of its result, or "". The session may be one that ran
 * earlier statements. */
const char *test_admin(const char *database, const char *sql);
/* The same in a session of its own. */
const char *test_admin_once(const char *database, const char *sql);
/* Waits until the statement returns "t". Fails the test after 20 s. */
void test_wait_for(const char *database, const char *sql);
/* A separate connection as administrator, to hold locks: close it with PQfinish. */
struct pg_conn *test_admin_connect(const char *database);

/* For tests whose commits wait for advisory lock 42 (by a deferred trigger): holds them up until PQfinish. */
struct pg_conn *test_hold_commits(const char *database);
/* Waits until one of them is in progress in the server. Fails the test after 20 s. */
void test_wait_until_committing(const char *database);

/* Until clock_set_source(NULL) the clock runs normally, but ahead by what test_clock_move adds. */
void test_clock_movable(void);
void test_clock_move(int64_t by_us);
void test_clock_suspend(int64_t for_us); /* as if the machine had been suspended: only the boot clock moves */

#endif
