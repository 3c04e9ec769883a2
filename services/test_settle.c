/* Owns one connection to each service's database, to ask how far its consumers are: dozens of questions, at each of
 * which a new connection would cost more than the whole answer. */
#include "services/test_settle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/clock.h"
#include "db/test_support.h"
#include "services/services.h"

#define SERVICES_MAX 16
#define PATIENCE_US  60000000 /* as long as a busy machine may take for what a test has made */

static PGconn *connections[SERVICES_MAX];

static PGconn *connection_to(size_t i)
{
        if (connections[i] != NULL &&
            PQstatus(connections[i]) != CONNECTION_OK) { /* the test has restarted its server */
                PQfinish(connections[i]);
                connections[i] = NULL;
        }
        if (connections[i] == NULL) {
                connections[i] = test_admin_connect(sonet_services[i]->schema->database);
        }
        return connections[i];
}

void test_settle_end(void)
{
        for (size_t i = 0; i < SERVICES_MAX; i++) {
                PQfinish(connections[i]);
                connections[i] = NULL;
        }
}

/* Asks until the answer is neither NULL nor an error of the connection. */
static long long wait_for_number(size_t i, const char *sql)
{
        for (int64_t until_us = clock_monotonic_us() + PATIENCE_US; clock_monotonic_us() < until_us;) {
                PGresult *result = PQexec(connection_to(i), sql);
                bool answered = PQntuples(result) == 1 && !PQgetisnull(result, 0, 0);
                long long number = answered ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;

                PQclear(result);
                if (answered) {
                        return number;
                }
                clock_sleep_ms(5);
        }
        fail_msg("never came true: %s: %s", sonet_services[i]->name, sql);
        return 0;
}

size_t test_service_index(const char *service)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (strcmp(sonet_services[i]->name, service) == 0) {
                        return i;
                }
        }
        fail_msg("there is no service %s", service);
        return 0;
}

/* The last position of a log whose events all have one. */
static long long wait_for_head(const char *source)
{
        return wait_for_number(
            test_service_index(source),
            "select position from outbox_head where not exists (select from outbox where position is null)");
}

static void wait_consumed(size_t i, const struct bus_consumer *consumer)
{
        long long head = wait_for_head(consumer->source);
        char sql[300];

        if (head == 0) {
                return;
        }
        (void)snprintf(sql, sizeof(sql),
                       "select 1 from consumer_positions where consumer = '%s' and source = '%s' and position >= %lld"
                       " having count(*) = %d",
                       consumer->name, consumer->source, head, consumer->by_aggregate ? BUS_LANES : 1);
        (void)wait_for_number(i, sql);
}

static void settle(size_t i)
{
        for (const struct bus_consumer *const *c = sonet_services[i]->consumers; *c != NULL; c++) {
                wait_consumed(i, *c);
        }
        assert_int_equal(wait_for_number(i, "select count(*) from dead_letters"), 0);
}

void test_service_settle(const char *service)
{
        settle(test_service_index(service));
}

void test_network_settle(void)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                settle(i);
        }
}
