/* Owns preparing segments of the write-ahead log. The transaction that reaches the end of the last segment creates the
 * next one, which means writing and syncing 16 MiB while every COMMIT waits: 50 ms, or a third of a second on a busy
 * disk. PostgreSQL reuses old segments instead, but only after checkpoints, and a new data folder has none. So they are
 * made by switching segments, one at a time, and a checkpoint then makes them the next ones. */
#include "cmd/up/embedded_wal.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PAUSE_US   500000             /* between segments, since COMMITs wait for each */
#define ROOM_BYTES (INT64_C(4) << 30) /* with less space on the disk, none are made */
#define ARENA_SIZE 4096

static void finish_p(PGconn **pg)
{
        PQfinish(*pg);
}

static bool has_room(const struct embedded *e)
{
        struct statvfs disk;

        return statvfs(e->cluster, &disk) == 0 && (int64_t)disk.f_bavail * (int64_t)disk.f_frsize >= ROOM_BYTES;
}

/* The first column as a number; -1: it failed. */
static long run_sql(PGconn *pg, const char *sql)
{
        PGresult *result = PQexec(pg, sql);
        bool rows = PQresultStatus(result) == PGRES_TUPLES_OK;
        long value = rows ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : -1;

        if (PQresultStatus(result) == PGRES_COMMAND_OK) {
                value = 0;
        }
        PQclear(result);
        return value;
}

static long count_ahead(PGconn *pg)
{
        return run_sql(pg, "select count(*) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$'"
                           " and name > pg_walfile_name(pg_current_wal_insert_lsn())");
}

/* A switch does nothing in a segment that has no record yet. */
static bool switch_segment(PGconn *pg)
{
        return run_sql(pg, "select pg_logical_emit_message(false, 'sonet', '') is null, pg_switch_wal()") >= 0;
}

int embedded_wal_prepare(void *embedded)
{
        const struct embedded *e = embedded;
        CLEANUP(arena_free_p) struct arena *arena = arena_new(ARENA_SIZE);
        CLEANUP(finish_p) PGconn *pg = PQconnectdb(embedded_admin_url(e, arena));
        long ahead = PQstatus(pg) == CONNECTION_OK ? count_ahead(pg) : -1;
        bool good = ahead >= 0;

        if (good && (ahead >= EMBEDDED_WAL_SEGMENTS || !has_room(e))) {
                return 0;
        }
        for (int i = 0; good && i < EMBEDDED_WAL_SEGMENTS; i++) {
                good = switch_segment(pg);
                (void)usleep(PAUSE_US);
        }
        return good && run_sql(pg, "checkpoint") == 0 ? 0 : 1;
}
