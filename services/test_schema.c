/* The schemas compared with the code that uses them: every statement matches, every table is written and read, every
 * declared method has a handler. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/str.h"
#include "db/check.h"
#include "services/test_support.h"

static int setup(void **state)
{
        test_services_provision();
        return 0;
}

static void every_statement_matches_its_schema(void **state)
{
        struct buf error;
        char url[300];

        buf_init(&error, 65536);
        for (size_t i = 0; i < sonet_n_services; i++) {
                test_service_url(url, sonet_services[i]);
                if (db_check_statements(url, sonet_services[i]->schema->database, &error) != SN_OK) {
                        fail_msg("%s", error.data);
                }
        }
        buf_free(&error);
}

/* A statement of an unknown database would not be checked. */
static void every_statement_belongs_to_a_service(void **state)
{
        size_t n;
        const struct db_statement *const *all = db_statements(&n);

        assert_true(n > 50);
        for (size_t i = 0; i < n; i++) {
                bool known = all[i] == NULL || strcmp(all[i]->database, "*") == 0;

                for (size_t s = 0; !known && s < sonet_n_services; s++) {
                        known = strcmp(all[i]->database, sonet_services[s]->schema->database) == 0;
                }
                if (!known) {
                        fail_msg("statement %s is for '%s'", all[i]->name, all[i]->database);
                }
        }
}

/* ---- Tables ---- */

struct use {
        bool written, read;
};

static bool word_is(struct str word, const char *text)
{
        return str_equal_nocase(word, str_of(text));
}

/* The next word; punctuation only ends words. */
static bool next_word(struct str *rest, struct str *word)
{
        size_t from = 0, to;

        while (from < rest->len && !isalnum((unsigned char)rest->ptr[from]) && rest->ptr[from] != '_') {
                from++;
        }
        to = from;
        while (to < rest->len && (isalnum((unsigned char)rest->ptr[to]) || rest->ptr[to] == '_')) {
                to++;
        }
        *word = (struct str){rest->ptr + from, to - from};
        *rest = (struct str){rest->ptr + to, rest->len - to};
        return word->len > 0;
}

/* Written: after `insert into`, `update`, `delete from`. Read: after any other `from`, `join` or `using`; or
 * `returning`. */
static void look(struct str sql, const char *table, struct use *use)
{
        struct str before = STR(""), last = STR(""), word;
        bool wrote = false;

        while (next_word(&sql, &word)) {
                if (word_is(word, table)) {
                        bool into = word_is(last, "into") || word_is(last, "update") ||
                                    (word_is(last, "from") && word_is(before, "delete"));

                        wrote = wrote || into;
                        use->read =
                            use->read ||
                            (!into && (word_is(last, "from") || word_is(last, "join") || word_is(last, "using")));
                }
                use->read = use->read || (wrote && word_is(word, "returning"));
                before = last;
                last = word;
        }
        use->written = use->written || wrote;
}

static void look_in_statements(const char *database, const char *table, struct use *use)
{
        size_t n;
        const struct db_statement *const *all = db_statements(&n);

        for (size_t i = 0; i < n; i++) {
                if (all[i] != NULL && (strcmp(all[i]->database, "*") == 0 || strcmp(all[i]->database, database) == 0)) {
                        look(str_of(all[i]->sql), table, use);
                }
        }
}

static PGresult *ask(PGconn *pg, const char *sql)
{
        PGresult *result = PQexec(pg, sql);

        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
                fail_msg("%s: %s", sql, PQerrorMessage(pg));
        }
        return result;
}

/* Functions that a statement calls, or a trigger; others might be unused themselves. */
static bool is_called(const char *database, const char *function, bool by_trigger)
{
        size_t n;
        const struct db_statement *const *all = db_statements(&n);

        for (size_t i = 0; !by_trigger && i < n; i++) {
                if (all[i] != NULL && (strcmp(all[i]->database, "*") == 0 || strcmp(all[i]->database, database) == 0) &&
                    strstr(all[i]->sql, function) != NULL) {
                        return true;
                }
        }
        return by_trigger;
}

static void look_in_functions(const char *database, const PGresult *functions, const char *table, struct use *use)
{
        for (int i = 0; i < PQntuples(functions); i++) {
                if (is_called(database, PQgetvalue(functions, i, 0), PQgetvalue(functions, i, 2)[0] == 't')) {
                        look(str_of(PQgetvalue(functions, i, 1)), table, use);
                }
        }
}

/* Other programs read them. */
static void look_in_views(const PGresult *views, const char *table, struct use *use)
{
        for (int i = 0; i < PQntuples(views); i++) {
                look(str_of(PQgetvalue(views, i, 0)), table, use);
        }
}

static void check_tables(const char *database)
{
        PGconn *pg = test_admin_connect(database);
        /* schema_migrations is db/migrate.c's, which runs before there are statements. A read-only table is filled by
         * its migration. */
        PGresult *tables =
            ask(pg, "select relname, coalesce(obj_description(oid, 'pg_class') like 'read-only:%', false) from pg_class"
                    " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition"
                    " and relname <> 'schema_migrations'");
        PGresult *functions = ask(pg, "select proname, prosrc, exists (select from pg_trigger where tgfoid = p.oid)"
                                      " from pg_proc p where pronamespace = 'public'::regnamespace");
        PGresult *views = ask(pg, "select pg_get_viewdef(oid) from pg_class where relkind = 'v' and relnamespace ="
                                  " 'public'::regnamespace and relacl::text like '%\\_reader=r/%'");

        assert_true(PQntuples(tables) > 5);
        for (int i = 0; i < PQntuples(tables); i++) {
                const char *table = PQgetvalue(tables, i, 0);
                struct use use = {.written = PQgetvalue(tables, i, 1)[0] == 't'};

                look_in_statements(database, table, &use);
                look_in_functions(database, functions, table, &use);
                look_in_views(views, table, &use);
                if (!use.written || !use.read) {
                        fail_msg("%s: nothing %s the table %s", database, use.written ? "reads" : "writes", table);
                }
        }
        PQclear(views);
        PQclear(functions);
        PQclear(tables);
        PQfinish(pg);
}

static void every_table_has_a_writer_and_a_reader(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                check_tables(sonet_services[i]->schema->database);
        }
}

static void the_search_for_writers_and_readers_distinguishes_them(void **state)
{
        static const struct {
                const char *sql;
                bool written, read;
        } examples[] = {
            {"select 1 from notes", false, true},
            {"SELECT 1 FROM other o JOIN notes n ON true", false, true},
            {"insert into notes (id) values ($1)", true, false},
            {"insert into notes (id) values ($1) returning id", true, true},
            {"update notes set text = $1", true, false},
            {"delete from notes where id = $1", true, false},
            {"delete from other using notes", false, true},
            {"select exists (select from notes where id = $1)", false, true},
            {"select 1 from notes_old", false, false},
            {"with old as (select id from notes) delete from notes", true, true},
        };

        for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
                struct use use = {0};

                look(str_of(examples[i].sql), "notes", &use);
                if (use.written != examples[i].written || use.read != examples[i].read) {
                        fail_msg("%s", examples[i].sql);
                }
        }
}

/* ---- Methods ---- */

/* A service's handlers are a struct of only function pointers, one per method, in their order. */
static void every_method_has_a_handler(void **state)
{
        for (size_t s = 0; s < sonet_n_services; s++) {
                const struct rpc_service *contract = sonet_services[s]->contract;
                void (*const *handlers)(void) = sonet_services[s]->handlers;

                assert_true(contract->n_methods > 0);
                for (size_t m = 0; m < contract->n_methods; m++) {
                        if (handlers[m] == NULL) {
                                fail_msg("%s has no handler", contract->methods[m].full_name);
                        }
                }
        }
}

static void the_log_of_every_emitter_can_be_read(void **state)
{
        for (size_t s = 0; s < sonet_n_services; s++) {
                const struct bus_consumer *const *consumers = sonet_services[s]->consumers;

                for (size_t i = 0; consumers[i] != NULL; i++) {
                        const struct service_definition *source = service_definition_find(consumers[i]->source);

                        assert_non_null(source);
                        assert_true(source->emits);
                        assert_ptr_equal(consumers[i]->read_outbox->service, source->contract);
                        assert_string_equal(consumers[i]->read_outbox->name, "ReadOutbox");
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_statement_matches_its_schema),
            cmocka_unit_test(every_statement_belongs_to_a_service),
            cmocka_unit_test(every_table_has_a_writer_and_a_reader),
            cmocka_unit_test(the_search_for_writers_and_readers_distinguishes_them),
            cmocka_unit_test(every_method_has_a_handler),
            cmocka_unit_test(the_log_of_every_emitter_can_be_read),
        };

        return cmocka_run_group_tests_name("schemas", tests, setup, NULL);
}
