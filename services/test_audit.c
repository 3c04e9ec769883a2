/* The audit log with a real database: the app role's rights, and that tampering is detected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include <pthread.h>
#include "services/test_support.h"
#include "services/user/audit.h"

#define DATABASE "user_service"
#define ENTRIES  5
#define ADA      "01a205bb-2760-767e-89c0-9d46ee1d76d7"
#define BO       "01a205bb-2760-767e-89c0-9d46ee1d76d8"

static struct service service;

static int setup(void **state)
{
        char url[300];

        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        test_services_provision();
        test_service_url(url, service_definition_find("user"));
        db_set_server_limit(8);
        service = (struct service){
            .name = "user", .db = db_new(&(struct db_options){.name = DATABASE, .url = url, .max_connections = 4})};
        return 0;
}

static int teardown(void **state)
{
        db_free(service.db);
        return 0;
}

static sn_status add_entry(const char *actor, const char *subject)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&service, 20000);

        c->actor = actor;
        c->client_address = "192.0.2.7";
        c->user_agent = "a \"client\", größer";
        return DB_WRITE(c, tx,
                        AUDIT(tx, .action = "user.role_changed", .subject_id = subject,
                              .before = AUDIT_VALUES("role", "member", "note", "a \"b\" ü"),
                              .after = AUDIT_VALUES("role", "moderator")));
}

/* Five entries: Ada about herself and about Bo alternately, the last by the operator. */
static int fill(void **state)
{
        (void)test_admin(DATABASE,
                         "alter table audit_log enable trigger all; truncate audit_log, audit_chain; select 1");
        for (int i = 0; i < ENTRIES; i++) {
                assert_int_equal(add_entry(i == ENTRIES - 1 ? "" : ADA, i % 2 == 0 ? NULL : BO), SN_OK);
        }
        return 0;
}

/* The position of the first error; 0: none. */
static int64_t found_at(struct audit_check *check)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&service, 20000);
        struct audit_row *rows;
        size_t n;

        *check = (struct audit_check){0};
        assert_int_equal(audit_read(c, 0, 1000, &n, &rows), SN_OK);
        for (size_t i = 0; i < n; i++) {
                if (audit_check_next(check, &rows[i]) != NULL) {
                        return rows[i].position;
                }
        }
        return 0;
}

static void an_unaltered_log_verifies(void **state)
{
        struct audit_check check;

        assert_int_equal(found_at(&check), 0);
        assert_int_equal(check.position, ENTRIES);
        assert_int_equal(check.erased, 0);
        assert_string_equal(test_admin(DATABASE,
                                       "select before ->> 'note' || ' ' || (after ->> 'role') || ' ' || address"
                                       " from audit_log limit 1"),
                            "a \"b\" ü moderator 192.0.2.7");
}

static void the_app_role_can_only_insert_and_read(void **state)
{
        static const char *const refused[] = {
            "update audit_log set action = 'x'",
            "delete from audit_log",
            "truncate audit_log",
            "update audit_chain set action = ''",
            "delete from audit_chain",
            "truncate audit_chain",
            ("insert into audit_chain (position, entry_id, occurred_at, action, content_hash, hash)"
             " values (99, gen_random_uuid(), now(), 'x', '', '')"),
            "alter table audit_log disable trigger audit_log_link",
        };
        char url[300];

        test_service_url(url, service_definition_find("user"));
        PGconn *pg = PQconnectdb(url);

        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
                PGresult *result = PQexec(pg, refused[i]);

                assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "42501"); /* insufficient privilege */
                PQclear(result);
        }
        PQfinish(pg);
}

/* Each by an owner of the database. */
static void tampering_with_one_row_is_detected(void **state)
{
        static const struct {
                const char *sql;
                int64_t at;
        } tampering[] = {
            {"update audit_log set actor_id = '" BO
             "' where id = (select entry_id from audit_chain where position = 3)",
             3},
            {"update audit_log set address = '' where id = (select entry_id from audit_chain where position = 1)", 1},
            {"update audit_log set before = null where id = (select entry_id from audit_chain where position = 2)", 2},
            {"update audit_log set occurred_at = occurred_at + interval '1 microsecond'"
             " where id = (select entry_id from audit_chain where position = 5)",
             5},
            {"delete from audit_log where id = (select entry_id from audit_chain where position = 2)", 2},
            {"delete from audit_chain where position = 2", 3},
            {"delete from audit_chain where position = 1; update audit_chain set position = position - 1", 1},
            {"update audit_chain set action = 'user.created' where position = 4", 4},
            {"update audit_chain set content_hash = '' where position = 4", 4},
            /* moved */
            {"update audit_chain set position = -1 where position = 2; update audit_chain set position = 2 where "
             "position = 3;"
             " update audit_chain set position = 3 where position = -1",
             2},
            /* moved, only the contents */
            {"update audit_chain set entry_id = gen_random_uuid() where position = 2", 2},
        };

        for (size_t i = 0; i < sizeof(tampering) / sizeof(tampering[0]); i++) {
                struct audit_check check;

                (void)fill(state);
                (void)test_admin(DATABASE, tampering[i].sql);
                if (found_at(&check) != tampering[i].at) {
                        fail_msg("not found: %s", tampering[i].sql);
                }
        }
}

static void an_entry_outside_the_chain_is_detected(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&service, 20000);
        int64_t n = -1;

        (void)test_admin(DATABASE, "alter table audit_log disable trigger audit_log_link");
        assert_int_equal(add_entry(ADA, BO), SN_OK);
        assert_int_equal(audit_count_unlinked(c, &n), SN_OK);
        assert_int_equal(n, 1);
}

/* The saved head reveals it: it is no longer in the chain. */
static void truncating_the_log_changes_the_head(void **state)
{
        struct audit_check before, after;

        assert_int_equal(found_at(&before), 0);
        (void)test_admin(DATABASE,
                         "delete from audit_log where id in (select entry_id from audit_chain where position > 3);"
                         " delete from audit_chain where position > 3");
        assert_int_equal(found_at(&after), 0);
        assert_int_equal(after.position, 3);
        for (int i = 0; i < 2; i++) { /* as long as before, but different */
                assert_int_equal(add_entry(ADA, BO), SN_OK);
        }
        assert_int_equal(found_at(&after), 0);
        assert_int_equal(after.position, before.position);
        assert_memory_not_equal(after.hash, before.hash, AUDIT_HASH_BYTES);
}

static void erasing_a_member_keeps_links_and_is_recorded(void **state)
{
        struct audit_check check;

        assert_string_equal(test_admin(DATABASE, "select audit_erase('" BO "')"), "2");
        assert_string_equal(test_admin(DATABASE, "select count(*) from audit_log where subject_id = '" BO "'"), "0");
        assert_int_equal(found_at(&check), 0);
        assert_int_equal(check.position, ENTRIES + 1);
        assert_int_equal(check.erased, 2);
        /* without the entry that records it, it would be tampering */
        (void)test_admin(DATABASE, "delete from audit_log where action = 'audit.erased'");
        assert_int_equal(found_at(&check), 2);
}

static void *add_many(void *failed)
{
        for (int i = 0; i < 50; i++) {
                *(bool *)failed = *(bool *)failed || add_entry(ADA, BO) != SN_OK;
        }
        return NULL;
}

static void concurrent_changes_form_one_chain(void **state)
{
        struct audit_check check;
        pthread_t threads[4];
        bool failed[4] = {false};

        for (int i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, add_many, &failed[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
                assert_false(failed[i]);
        }
        assert_int_equal(found_at(&check), 0);
        assert_int_equal(check.position, ENTRIES + 200);
}

/* Open audited transactions do not wait for each other: the lock is taken at COMMIT. */
static void an_open_audited_change_delays_no_other(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&service, 20000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct audit_check check;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(AUDIT(tx, .action = "slow.change"), SN_OK);
        assert_int_equal(add_entry(ADA, BO), SN_OK);
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        assert_int_equal(found_at(&check), 0);
        assert_int_equal(check.position, ENTRIES + 2);
        assert_string_equal(test_admin(DATABASE, "select action from audit_chain order by position desc limit 1"),
                            "slow.change");
}

static void a_rolled_back_change_leaves_no_entry(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&service, 20000);
        struct audit_check check;
        struct db_tx *tx = NULL;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(AUDIT(tx, .action = "never.happened"), SN_OK);
        db_end(&tx);
        assert_int_equal(found_at(&check), 0);
        assert_int_equal(check.position, ENTRIES);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(an_unaltered_log_verifies, fill),
            cmocka_unit_test_setup(the_app_role_can_only_insert_and_read, fill),
            cmocka_unit_test(tampering_with_one_row_is_detected),
            cmocka_unit_test_setup(an_entry_outside_the_chain_is_detected, fill),
            cmocka_unit_test_setup(truncating_the_log_changes_the_head, fill),
            cmocka_unit_test_setup(erasing_a_member_keeps_links_and_is_recorded, fill),
            cmocka_unit_test_setup(concurrent_changes_form_one_chain, fill),
            cmocka_unit_test_setup(an_open_audited_change_delays_no_other, fill),
            cmocka_unit_test_setup(a_rolled_back_change_leaves_no_entry, fill),
        };

        return cmocka_run_group_tests_name("audit log", tests, setup, teardown);
}
