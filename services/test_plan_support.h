/* Shared by the tests of plans: thousands of rows, and statements planned as in production. */
#ifndef SERVICES_TEST_PLAN_SUPPORT_H
#define SERVICES_TEST_PLAN_SUPPORT_H

#include <libpq-fe.h>
#include "db/statement.h"

/* Runs one command, or fails the test. */
void plan_fill(const char *database, const char *sql);
/* Creates the functions id(bigint), a member's or note's id by number (in order), and ids(first, last, step). */
void plan_add_ids(const char *database);
/* Connects as an administrator, with the settings that the service's own role has. */
PGconn *plan_connect(const char *database);
PGresult *plan_must(PGconn *pg, PGresult *result, const char *what);
/* The statement with this name; fails the test if there is none. */
const struct db_statement *plan_find(const char *database, const char *name);
/* Prepares it under its name. Returns its number of parameters. */
int plan_prepare(PGconn *pg, const struct db_statement *s);
/* The number of pages of tables and indexes that it touches with these values, given as SQL. It must be prepared. */
long plan_count_buffers(PGconn *pg, const struct db_statement *s, const char *values);

/* Makes the planner assume this many times the rows in the service's tables. */
void plan_multiply(const char *database, int times);
/* The number of rows that the planner assumes. */
long plan_estimate(const char *database, const char *table);

struct plan_expectation {
        const char *statement;
        const char *index; /* the index that its generic plan must use; several are separated by spaces */
};

/* Fails the test unless each statement uses its indexes and reads no whole table. */
void plan_check(const char *database, const struct plan_expectation *expectations, size_t n);

#define CHECK(database, ...)                                                                                           \
        do {                                                                                                           \
                static const struct plan_expectation expectations[] = {__VA_ARGS__};                                   \
                plan_check((database), expectations, sizeof(expectations) / sizeof(expectations[0]));                  \
        } while (0)

#endif
