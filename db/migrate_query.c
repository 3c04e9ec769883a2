/* Owns the blocking queries of migrations. SQL that contains names is built in one place, quoted by libpq. */
#include <stdarg.h>
#include <string.h>
#include "base/clock.h"
#include "db/connection.h"
#include "db/migrate_internal.h"

#define CONNECT_US 15000000
#define MAX_SQL    16384

void migrate_finish_p(PGconn **pg)
{
        PQfinish(*pg);
}

/* libpq ends its messages with line breaks. */
static void append_sentence(struct buf *error, const char *what, const char *message)
{
        size_t len = message != NULL ? strlen(message) : 0;

        while (len > 0 && (message[len - 1] == '\n' || message[len - 1] == ' ')) {
                len--;
        }
        buf_printf(error, "cannot %s: %.*s", what, (int)len, message != NULL ? message : "");
}

static void ignore_notice(void *context, const PGresult *result)
{
        (void)context;
        (void)result;
}

/* The URL of another database on the same server: libpq parses it, and the last dbname wins. */
static enum db_outcome connect_to(const char *url, const char *database, PGconn **pg, char *reason, size_t reason_size)
{
        const char *keys[] = {"dbname",          "dbname", "client_encoding", "fallback_application_name",
                              "connect_timeout", NULL};
        const char *values[] = {url, database, "UTF8", "sonet", "15", NULL};

        if (database == NULL) {
                return db_pg_connect(url, clock_monotonic_us() + CONNECT_US, pg, reason, reason_size);
        }
        *pg = PQconnectdbParams(keys, values, 1);
        if (PQstatus(*pg) == CONNECTION_OK) {
                return DB_DONE;
        }
        (void)snprintf(reason, reason_size, "%s", PQerrorMessage(*pg));
        PQfinish(*pg);
        *pg = NULL;
        return DB_LOST;
}

sn_status migrate_connect(const char *url, const char *database, PGconn **pg, struct buf *error)
{
        char reason[256] = "";

        if (connect_to(url, database, pg, reason, sizeof(reason)) != DB_DONE) {
                append_sentence(error, database != NULL ? "connect to the new database" : "connect", reason);
                return SN_UNAVAILABLE;
        }
        (void)PQsetnonblocking(*pg, 0);
        (void)PQsetNoticeReceiver(*pg, ignore_notice, NULL);
        return SN_OK;
}

sn_status migrate_query(PGconn *pg, const char *sql, const char *what, struct buf *error, PGresult **result)
{
        CLEANUP(db_pg_clear_p) PGresult *r = PQexec(pg, sql);
        ExecStatusType status = PQresultStatus(r);

        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
                if (result != NULL) {
                        *result = r;
                        r = NULL;
                }
                return SN_OK;
        }
        const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

        append_sentence(error, what, message != NULL ? message : PQerrorMessage(pg));
        return PQstatus(pg) == CONNECTION_OK ? SN_FAILED_PRECONDITION : SN_UNAVAILABLE;
}

static void append_quoted(PGconn *pg, struct buf *sql, char kind, const char *value)
{
        char *quoted =
            kind == 'I' ? PQescapeIdentifier(pg, value, strlen(value)) : PQescapeLiteral(pg, value, strlen(value));

        if (quoted != NULL) {
                buf_append_c(sql, quoted);
        } else {
                sql->overflow = true;
        }
        PQfreemem(quoted);
}

sn_status migrate_format(PGconn *pg, const char *what, struct buf *error, PGresult **result, const char *format, ...)
{
        CLEANUP(buf_free) struct buf sql;
        va_list args;

        buf_init(&sql, MAX_SQL);
        va_start(args, format);
        for (const char *p = format; *p; p++) {
                if (p[0] == '%' && (p[1] == 'I' || p[1] == 'L')) {
                        append_quoted(pg, &sql, *++p, va_arg(args, const char *));
                } else {
                        buf_append_char(&sql, *p);
                }
        }
        va_end(args);
        if (sql.overflow) {
                buf_printf(error, "cannot %s: a name or password is too long or not UTF-8", what);
                return SN_INVALID_ARGUMENT;
        }
        return migrate_query(pg, sql.data, what, error, result);
}
