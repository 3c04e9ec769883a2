/* Owns the use of libpq: connecting, waiting on the socket until a deadline, and the set of prepared statements of a
 * connection. It does not depend on calls, pools or transactions. */
#include "db/connection.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/no_wait.h"

/* Milliseconds for poll(): rounded up, so that the deadline has passed when it returns 0. */
static int poll_ms(int64_t deadline_us)
{
        int64_t left = deadline_us - clock_monotonic_us();

        if (left <= 0) {
                return 0;
        }
        return left > 600000000 ? 600000 : (int)((left + 999) / 1000);
}

/* True if the socket is ready (or broken: the next read will tell). */
static bool wait_ready(PGconn *pg, short events, int64_t deadline_us)
{
        struct pollfd p = {.fd = PQsocket(pg), .events = events};

        NO_WAIT_ASSERT();
        for (;;) {
                int n = poll(&p, 1, poll_ms(deadline_us));

                if (n > 0 || (n < 0 && errno != EINTR)) {
                        return true;
                }
                if (n == 0 && clock_monotonic_us() >= deadline_us) {
                        return false;
                }
        }
}

void db_pg_clear_p(PGresult **result)
{
        PQclear(*result);
}

const char *db_pg_sqlstate(const PGresult *result)
{
        const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

        return state != NULL ? state : "";
}

static void ignore_notice(void *context, const char *message)
{
        (void)context;
        (void)message;
}

static enum db_outcome connect_poll(PGconn *pg, int64_t deadline_us)
{
        PostgresPollingStatusType next = PGRES_POLLING_WRITING;

        while (PQstatus(pg) != CONNECTION_BAD && next != PGRES_POLLING_FAILED) {
                if (next == PGRES_POLLING_OK) {
                        return DB_DONE;
                }
                if (!wait_ready(pg, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_us)) {
                        return DB_EXPIRED;
                }
                next = PQconnectPoll(pg);
        }
        return DB_LOST;
}

enum db_outcome db_pg_connect(const char *url, int64_t deadline_us, PGconn **pg, char *reason, size_t reason_size)
{
        const char *keys[] = {"dbname", "client_encoding", "fallback_application_name", NULL};
        const char *values[] = {url, "UTF8", "sonet", NULL};
        PGconn *made = PQconnectStartParams(keys, values, 1);
        enum db_outcome outcome = made != NULL ? connect_poll(made, deadline_us) : DB_LOST;

        *pg = NULL;
        if (outcome != DB_DONE) {
                if (reason != NULL) {
                        const char *why = outcome == DB_EXPIRED ? "no answer in time"
                                          : made != NULL        ? PQerrorMessage(made)
                                                                : "out of memory";

                        (void)snprintf(reason, reason_size, "%.*s", (int)strcspn(why, "\n"), why);
                }
                PQfinish(made);
                return outcome;
        }
        (void)PQsetnonblocking(made, 1);
        (void)PQsetNoticeProcessor(made, ignore_notice, NULL);
        *pg = made;
        return DB_DONE;
}

static enum db_outcome flush_output(PGconn *pg, int64_t deadline_us)
{
        int left;

        while ((left = PQflush(pg)) == 1) {
                /* the server may stop reading until its own output is taken */
                if (!wait_ready(pg, POLLIN | POLLOUT, deadline_us)) {
                        return DB_EXPIRED;
                }
                if (!PQconsumeInput(pg)) {
                        return DB_LOST;
                }
        }
        return left == 0 ? DB_DONE : DB_LOST;
}

static enum db_outcome next_result(PGconn *pg, int64_t deadline_us, PGresult **next)
{
        while (PQisBusy(pg)) {
                if (!wait_ready(pg, POLLIN, deadline_us)) {
                        return DB_EXPIRED;
                }
                if (!PQconsumeInput(pg)) {
                        return DB_LOST;
                }
        }
        *next = PQgetResult(pg);
        return DB_DONE;
}

static bool is_error(const PGresult *result)
{
        ExecStatusType status = PQresultStatus(result);

        return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY;
}

/* Errors that end the session: class 08 and the shutdowns. */
static bool ends_session(const char *state)
{
        return strncmp(state, "08", 2) == 0 || strcmp(state, "57P01") == 0 || strcmp(state, "57P02") == 0 ||
               strcmp(state, "57P03") == 0 || strcmp(state, "57P05") == 0 || strcmp(state, "25P03") == 0;
}

static enum db_outcome outcome_of(const PGconn *pg, const PGresult *result)
{
        if (PQstatus(pg) == CONNECTION_BAD || result == NULL) {
                return DB_LOST;
        }
        if (!is_error(result)) {
                return DB_DONE;
        }
        return ends_session(db_pg_sqlstate(result)) ? DB_LOST : DB_ERROR;
}

enum db_outcome db_pg_wait(PGconn *pg, int64_t deadline_us, PGresult **result)
{
        enum db_outcome outcome = flush_output(pg, deadline_us);

        *result = NULL;
        while (outcome == DB_DONE) {
                PGresult *next = NULL;

                outcome = next_result(pg, deadline_us, &next);
                if (outcome != DB_DONE || next == NULL) {
                        break;
                }
                if (PQresultStatus(next) == PGRES_COPY_IN || PQresultStatus(next) == PGRES_COPY_OUT) {
                        outcome =
                            DB_LOST; /* COPY is never used, so the connection is given up rather than read forever */
                }
                if (*result != NULL && is_error(*result)) {
                        PQclear(next);
                } else {
                        PQclear(*result);
                        *result = next;
                }
        }
        return outcome == DB_DONE ? outcome_of(pg, *result) : outcome;
}

enum db_outcome db_pg_wait_sync(PGconn *pg, int64_t deadline_us)
{
        CLEANUP(db_pg_clear_p) PGresult *end = NULL;
        enum db_outcome outcome = next_result(pg, deadline_us, &end);

        if (outcome != DB_DONE) {
                return outcome;
        }
        return PQresultStatus(end) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(pg) == 1 ? DB_DONE : DB_LOST;
}

enum db_outcome db_pg_query(PGconn *pg, const char *sql, int64_t deadline_us, PGresult **result)
{
        *result = NULL;
        if (!PQsendQuery(pg, sql)) {
                return DB_LOST;
        }
        return db_pg_wait(pg, deadline_us, result);
}

static void prepared_clear(struct db_prepared *p)
{
        for (size_t i = 0; i < p->capacity; i++) {
                free(p->slots[i]);
        }
        free(p->slots);
        *p = (struct db_prepared){0};
}

/* The statistics are reset when the server recovers from a crash, and only then (or by an administrator): after a
 * clean restart transaction IDs continue, after a crash an ID that never reached the disk may be reused. */
enum db_outcome db_connection_read_boot(PGconn *pg, int64_t deadline_us, char *boot, size_t boot_size)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        enum db_outcome outcome =
            db_pg_query(pg, "select coalesce(extract(epoch from stats_reset)::text, '') from pg_stat_bgwriter",
                        deadline_us, &result);

        if (outcome == DB_DONE) {
                (void)snprintf(boot, boot_size, "%s", PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "");
        }
        return outcome;
}

enum db_outcome db_connection_open(struct db_connection *connection, const char *url, int64_t deadline_us, char *reason,
                                   size_t reason_size)
{
        PQfinish(connection->pg);
        prepared_clear(&connection->prepared);
        connection->migrated = false;
        enum db_outcome outcome = db_pg_connect(url, deadline_us, &connection->pg, reason, reason_size);

        if (outcome != DB_DONE) {
                return outcome;
        }
        outcome = db_connection_read_boot(connection->pg, deadline_us, connection->boot, sizeof(connection->boot));
        if (outcome != DB_DONE) {
                (void)snprintf(reason, reason_size, "no response to the first query");
                PQfinish(connection->pg);
                connection->pg = NULL;
        }
        return outcome;
}

void db_connection_close(struct db_connection *connection)
{
        if (connection == NULL) {
                return;
        }
        if (connection->cancel && PQstatus(connection->pg) == CONNECTION_OK) {
                PGcancel *cancel = PQgetCancel(connection->pg);
                char error[256];

                if (cancel != NULL) {
                        (void)PQcancel(cancel, error,
                                       sizeof(error)); /* best effort; statement_timeout is the fallback */
                }
                PQfreeCancel(cancel);
        }
        PQfinish(connection->pg);
        prepared_clear(&connection->prepared);
        free(connection);
}

static size_t prepared_slot(const struct db_prepared *p, const struct db_statement *s, uint32_t signature)
{
        size_t mask = p->capacity - 1;
        size_t i = (((uintptr_t)s >> 4) * 0x9e3779b1u + signature) & mask;

        while (p->slots[i] != NULL && (p->slots[i]->statement != s || p->slots[i]->signature != signature)) {
                i = (i + 1) & mask;
        }
        return i;
}

static void *must(void *memory)
{
        if (memory == NULL) {
                log_event(LOG_LEVEL_ERROR, "out of memory");
                abort();
        }
        return memory;
}

static void prepared_grow(struct db_prepared *p)
{
        struct db_prepared bigger = {.n = p->n, .capacity = p->capacity ? p->capacity * 2 : 32};

        bigger.slots = must(calloc(bigger.capacity, sizeof(*bigger.slots)));
        for (size_t i = 0; i < p->capacity; i++) {
                if (p->slots[i] != NULL) {
                        bigger.slots[prepared_slot(&bigger, p->slots[i]->statement, p->slots[i]->signature)] =
                            p->slots[i];
                }
        }
        free(p->slots);
        *p = bigger;
}

static enum db_outcome prepare_statement(struct db_connection *connection, struct db_prepared_entry *entry, int n,
                                         const Oid *types, int64_t deadline_us, PGresult **error)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        if (!PQsendPrepare(connection->pg, entry->name, entry->statement->sql, n, types)) {
                return DB_LOST;
        }
        enum db_outcome outcome = db_pg_wait(connection->pg, deadline_us, &result);

        if (outcome == DB_ERROR) {
                *error = result;
                result = NULL;
        }
        return outcome;
}

bool db_connection_has_prepared(const struct db_connection *connection, const struct db_statement *s,
                                uint32_t signature)
{
        const struct db_prepared *p = &connection->prepared;

        return p->capacity > 0 && p->slots[prepared_slot(p, s, signature)] != NULL;
}

enum db_outcome db_connection_prepare(struct db_connection *connection, const struct db_statement *s,
                                      uint32_t signature, int n, const Oid *types, int64_t deadline_us,
                                      const char **name, PGresult **error)
{
        struct db_prepared *p = &connection->prepared;

        if (p->n * 2 >= p->capacity) {
                prepared_grow(p);
        }
        size_t slot = prepared_slot(p, s, signature);

        if (p->slots[slot] == NULL) {
                struct db_prepared_entry *entry = must(calloc(1, sizeof(*entry)));

                *entry = (struct db_prepared_entry){.statement = s, .signature = signature};
                (void)snprintf(entry->name, sizeof(entry->name), "%.48s.%zu", s->name, p->n);
                enum db_outcome outcome = prepare_statement(connection, entry, n, types, deadline_us, error);

                if (outcome != DB_DONE) {
                        free(entry);
                        return outcome;
                }
                p->slots[slot] = entry;
                p->n++;
        }
        *name = p->slots[slot]->name;
        return DB_DONE;
}

static void hash_part(crypto_hash_sha256_state *state, const char *part)
{
        size_t len = part != NULL ? strlen(part) : 0;
        uint64_t prefix = htobe64(len);

        crypto_hash_sha256_update(state, (const uint8_t *)&prefix, sizeof(prefix));
        if (part != NULL) {
                crypto_hash_sha256_update(state, (const uint8_t *)part, len);
        }
}

int64_t db_lock_number(const char *scope, const char *a, const char *b, const char *c)
{
        crypto_hash_sha256_state state;
        uint8_t hash[crypto_hash_sha256_BYTES];
        int64_t number;

        crypto_hash_sha256_init(&state);
        hash_part(&state, scope);
        hash_part(&state, a);
        hash_part(&state, b);
        hash_part(&state, c);
        crypto_hash_sha256_final(&state, hash);
        memcpy(&number, hash, sizeof(number));
        return (int64_t)be64toh((uint64_t)number); /* the same number on every machine that shares the database */
}
