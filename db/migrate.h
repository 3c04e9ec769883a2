/* Migrations: numbered SQL files compiled into the binary, run by the owner role under an advisory lock, each in its
 * own transaction and recorded with its SHA-256 in schema_migrations. An altered or missing file is an error that names
 * it. A line "-- Serves programs from: 0004" says which programs still work with the schema that a file leaves: those
 * that have the migrations up to that one. Without it, those that lack this one only. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/status.h"

struct db_migration {
        int number; /* from the file's name: 0001_… */
        const char *name;
        const char *sql;
};

/* The migrations of one service. Those of the platform (outbox, idempotency_keys …) are a separate set that runs
 * first in each database. */
struct db_schema {
        const char *database;                  /* "note_service" */
        const struct db_migration *migrations; /* sorted by number */
        size_t n;
};

/* With admin_url (a superuser or CREATEDB + CREATEROLE): creates the database, its owner role (<database>_owner,
 * NOLOGIN) and app role (<database>, LOGIN with app_password, DML only, no access to other databases), then migrates.
 * Repeating it changes nothing but the password. error (not NULL) gets one sentence on failure. */
SN_CHECKED sn_status db_provision(const char *admin_url, const struct db_schema *schema, const char *app_password,
                                  struct buf *error);
/* SN_OK when the database that url reaches holds exactly the migrations of schema, or newer ones that still serve a
 * program with these (expand); SN_FAILED_PRECONDITION with a sentence otherwise, SN_OUT_OF_RANGE when it is too new. */
SN_CHECKED sn_status db_check_schema(const char *url, const struct db_schema *schema, struct buf *error);

#endif
