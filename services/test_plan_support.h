/* What the tests of plans share: rows by the thousand, and statements as production plans them. */
#ifndef SERVICES_TEST_PLAN_SUPPORT_H
#define SERVICES_TEST_PLAN_SUPPORT_H

#include <libpq-fe.h>
#include "db/statement.h"

/* Runs one command, or fails the test. */
void plan_fill(const char *database, const char *sql);
/* Makes the functions id(bigint), a member's or note's id by its number, in order of it, and ids(first, last, step). */
void plan_add_ids(const char *database);
/* Connects as an administrator, with the settings that the service's own role has. */
PGconn *plan_connect(const char *database);
PGresult *plan_must(PGconn *pg, PGresult *result, const char *what);
/* The statement of that name, or the test fails. */
const struct db_statement *plan_find(const char *database, const char *name);
/* Prepares it under its name; how many parameters it takes. */
int plan_prepare(PGconn *pg, const struct db_statement *s);
/* How many pages of tables and indexes it touches with these values, written as SQL. Prepared already. */
long plan_count_buffers(PGconn *pg, const struct db_statement *s, const char *values);

/* Has the planner believe that the service's tables have so many times the rows. */
void plan_multiply(const char *database, int times);
/* How many rows it takes a table to have. */
long plan_estimate(const char *database, const char *table);

struct plan_expectation {
        const char *statement;
        const char *index; /* that its generic plan must use; more than one, separated by spaces */
};

/* Fails the test unless each uses its indexes, and reads no whole table. */
void plan_check(const char *database, const struct plan_expectation *expectations, size_t n);

#define CHECK(database, ...)                                                                                           \
        do {                                                                                                           \
                static const struct plan_expectation expectations[] = {__VA_ARGS__};                                   \
                plan_check((database), expectations, sizeof(expectations) / sizeof(expectations[0]));                  \
        } while (0)

#endif
