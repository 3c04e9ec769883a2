/* The schema that the tests of db/ use. */
#ifndef DB_TEST_ITEMS_H
#define DB_TEST_ITEMS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "db/test_support.h"

#define ITEMS_MIGRATIONS ((struct db_migration[]){{1, "0001_items", items_sql}})
static const char items_sql[] __attribute__((unused)) =
    "create extension citext;"
    "create table items (id uuid primary key, name text constraint items_name_key unique, n bigint, small smallint, "
    "medium integer,"
    " flag boolean, at timestamptz, raw bytea, tags text[], ids uuid[], numbers bigint[], nick citext, note jsonb);"
    "create function wait_at_commit() returns trigger language plpgsql as"
    " 'begin perform pg_advisory_xact_lock(42); return null; end';"
    "create constraint trigger wait_at_commit after insert on items deferrable initially deferred for each row"
    " when (new.name like 'slow%') execute function wait_at_commit();";

#define ID_A "018f0000-0000-7000-8000-00000000000a"
#define ID_B "018f0000-0000-7000-8000-00000000000b"

int run_rows_tests(void);
int run_tx_tests(void);
int run_together_tests(void);
int run_lost_tests(void);
int run_pipeline_tests(void);
int run_pool_tests(void);
int run_migrate_tests(void);
int run_ownership_tests(void);
int run_probe_tests(void);

#endif
