/* Owns creating a service's database and its roles: the owner, who migrates and cannot log in; the app, who can only
 * read and write rows; and the reader, who reads what migrations grant, and cannot log in until an operator allows
 * it. Idempotent, and safe to run concurrently. */
#include <stdio.h>
#include <string.h>
#include "db/connection.h"
#include "db/migrate_internal.h"

struct names {
        const char *database;
        char owner[DB_NAME_SIZE], reader[DB_NAME_SIZE];
        const char *app;
};

#define LOCK_ROLES     "select pg_advisory_lock(6041200617113141)"
#define LOCK_MIGRATION "select pg_advisory_lock(6041200617113142)"

static sn_status database_exists(PGconn *pg, const char *sql, const char *name, struct buf *error, bool *yes)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        TRY(migrate_format(pg, "look up roles and databases", error, &result, sql, name));
        *yes = PQntuples(result) > 0;
        return SN_OK;
}

static sn_status make_role(PGconn *pg, const char *role, const char *create, struct buf *error)
{
        bool there;

        TRY(database_exists(pg, "select 1 from pg_roles where rolname = %L", role, error, &there));
        return there ? SN_OK : migrate_format(pg, "create a role", error, NULL, create, role);
}

/* The password leaves this process hashed: statements may end in the server's log. */
static sn_status set_password(PGconn *pg, const char *role, const char *password, struct buf *error)
{
        if (password == NULL || !*password) {
                return SN_OK;
        }
        char *hashed = PQencryptPasswordConn(pg, password, role, NULL);

        if (hashed == NULL) {
                buf_printf(error, "cannot hash the password of the role %s", role);
                return SN_INTERNAL;
        }
        sn_status status =
            migrate_format(pg, "set the password of a role", error, NULL, "alter role %I password %L", role, hashed);

        PQfreemem(hashed);
        return status;
}

/* Statements are prepared once per connection, and have one good plan whatever the values: planning them each time
 * would often take longer than running them. */
static sn_status set_limits(PGconn *pg, const char *role, struct buf *error)
{
        return migrate_format(pg, "set the limits of a role", error, NULL,
                              "alter role %I set plan_cache_mode = force_generic_plan;"
                              "alter role %I set statement_timeout = '5s';"
                              "alter role %I set lock_timeout = '4s';"
                              "alter role %I set idle_in_transaction_session_timeout = '10s';"
                              "alter role %I set search_path = public",
                              role, role, role, role, role);
}

static sn_status set_reader_limits(PGconn *pg, const char *role, struct buf *error)
{
        return migrate_format(pg, "set the limits of the reader", error, NULL,
                              "alter role %I set default_transaction_read_only = on;"
                              "alter role %I set statement_timeout = '30s';"
                              "alter role %I set search_path = public",
                              role, role, role);
}

/* Creating a database for the owner, and acting as it, requires being a member of that role. */
static sn_status join_owner(PGconn *pg, const char *owner, struct buf *error)
{
        bool member;

        TRY(database_exists(pg, "select 1 where pg_has_role(current_user, %L, 'member')", owner, error, &member));
        return member ? SN_OK
                      : migrate_format(pg, "join the owner role", error, NULL, "grant %I to current_user", owner);
}

static sn_status make_database(PGconn *pg, const struct names *names, struct buf *error)
{
        bool there;

        TRY(database_exists(pg, "select 1 from pg_database where datname = %L", names->database, error, &there));
        return there ? SN_OK
                     : migrate_format(pg, "create the database", error, NULL,
                                      "create database %I owner %I encoding 'UTF8' template template0", names->database,
                                      names->owner);
}

/* In the administrator's database, under a lock, so that only one process does this at a time. */
static sn_status make_cluster_objects(PGconn *pg, const struct names *names, const char *password, struct buf *error)
{
        TRY(migrate_query(pg, LOCK_ROLES, "take the role lock", error, NULL));
        TRY(make_role(pg, names->owner, "create role %I nologin", error));
        TRY(make_role(pg, names->app, "create role %I login", error));
        TRY(make_role(pg, names->reader, "create role %I nologin", error));
        TRY(set_password(pg, names->app, password, error));
        TRY(set_limits(pg, names->app, error));
        TRY(set_reader_limits(pg, names->reader, error));
        TRY(join_owner(pg, names->owner, error));
        return make_database(pg, names, error);
}

static sn_status set_privileges(PGconn *pg, const struct names *names, struct buf *error)
{
        return migrate_format(
            pg, "set the privileges of the database", error, NULL,
            "revoke all on database %I from public;"
            "grant connect on database %I to %I, %I, %I;"
            "revoke create on schema public from public;"
            "grant usage on schema public to %I, %I;"
            "alter default privileges in schema public grant select, insert, update, delete on tables to %I;"
            "alter default privileges in schema public grant usage, select on sequences to %I",
            names->database, names->database, names->owner, names->app, names->reader, names->app, names->reader,
            names->app, names->app);
}

static sn_status fill_database(const char *admin_url, const struct names *names, const struct db_schema *schema,
                               struct buf *error)
{
        CLEANUP(migrate_finish_p) PGconn *pg = NULL;

        TRY(migrate_connect(admin_url, names->database, &pg, error));
        TRY(migrate_query(pg, LOCK_MIGRATION, "take the migration lock", error, NULL));
        TRY(migrate_format(pg, "act as the owner", error, NULL, "set role %I", names->owner));
        TRY(migrate_query(pg, "set search_path = public; set statement_timeout = 0; set lock_timeout = '30s'",
                          "set up the session", error, NULL));
        TRY(set_privileges(pg, names, error));
        return migrate_run(pg, schema, names->app, error);
}

sn_status db_provision(const char *admin_url, const struct db_schema *schema, const char *app_password,
                       struct buf *error)
{
        CLEANUP(migrate_finish_p) PGconn *pg = NULL;
        struct names names = {.database = schema->database, .app = schema->database};
        int len = snprintf(names.reader, sizeof(names.reader), "%s_reader", schema->database);

        (void)snprintf(names.owner, sizeof(names.owner), "%s_owner", schema->database);
        if (len < 0 || (size_t)len >= sizeof(names.reader)) {
                buf_printf(error, "the database name is too long");
                return SN_INVALID_ARGUMENT;
        }
        TRY(migrate_connect(admin_url, NULL, &pg, error));
        TRY(make_cluster_objects(pg, &names, app_password, error));
        migrate_finish_p(&pg); /* which releases its lock, so that databases can be migrated concurrently */
        pg = NULL;
        return fill_database(admin_url, &names, schema, error);
}
