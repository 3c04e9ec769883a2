/* The newest notes of many authors (note/newest.c) are those that a plain query finds, whatever memory has of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/buf.h"
#include "rpc/rpc.h"
#include "services/test_act.h"
#include "services/test_people.h"

#define FILLED  100 /* authors whose notes are there before anything was read; few of them wrote most */
#define AUTHORS (FILLED + 3)
#define SCANS   400

/* Ids of authors and notes that are made by SQL. */
#define AUTHOR(n)   "('00000000-0000-7000-8000-' || lpad(to_hex(" n "), 12, '0'))::uuid"
#define NOTE_AT(ms) "(lpad(to_hex(" ms "), 12, '0') || '7000800000000000' || '0000')::uuid"

static PGconn *pg;
static char authors[AUTHORS][UUID_SIZE];

static const char *value(const char *sql)
{
        static char text[200000];
        PGresult *result = PQexec(pg, sql);

        if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
                fail_msg("%s: %s", sql, PQerrorMessage(pg));
        }
        (void)snprintf(text, sizeof(text), "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
        PQclear(result);
        return text;
}

/* A note a second for an hour and more; every tenth is a renote, of which some are deleted, every thirtieth a comment.
 */
static int start(void **state)
{
        (void)test_start_plain(state);
        pg = test_admin_connect("note_service");
        (void)value("select setseed(0.5)");
        (void)value(
            "insert into notes (id, author_id, text, visibility, renote_of_id, parent_id, deleted_at)"
            " select " NOTE_AT("1600000000000 + i * 1000") ", " AUTHOR(
                "1 + (99 * random() ^ 3)::int") ", '',"
                                                " 1 + (2 * random())::int, case when i % 10 = 9 then " NOTE_AT(
                                                    "1600000000000 + i / 2 * 1000") " end,"
                                                                                    " case when i % 30 = 7 "
                                                                                    "then " NOTE_AT(
                                                                                        "1600000000000") " end,"
                                                                                                         " case when i "
                                                                                                         "% 13 = 5 "
                                                                                                         "then now() "
                                                                                                         "end from "
                                                                                                         "generate_"
                                                                                                         "series(0, "
                                                                                                         "3999) i");
        for (int i = 0; i < FILLED; i++) {
                (void)snprintf(authors[i], UUID_SIZE, "00000000-0000-7000-8000-%012x", (unsigned)i + 1);
        }
        return 0;
}

static int stop(void **state)
{
        PQfinish(pg);
        return test_stop(state);
}

/* ---- One scan, both ways ---- */

static void add_ids(struct buf *out, char *const *ids, size_t n)
{
        buf_append_c(out, "'{");
        for (size_t i = 0; i < n; i++) {
                buf_printf(out, "%s%s", i > 0 ? "," : "", ids[i]);
        }
        buf_append_c(out, "}'");
}

/* Their IDs, separated by spaces. */
static const char *plain_list(const Note__ListIdsByAuthorsRequest *in)
{
        bool newer = in->after_id[0] != '\0';
        struct buf sql;

        buf_init(&sql, 20000);
        buf_append_c(&sql,
                     "select coalesce(string_agg(id::text, ' ' order by place), '') from (select p.id, row_number()"
                     " over (order by p.id");
        buf_printf(&sql,
                   "%s) as place from notes p left join notes r on r.id = p.renote_of_id where p.author_id = any(",
                   newer ? "" : " desc");
        add_ids(&sql, in->author_ids, in->n_author_ids);
        buf_printf(
            &sql,
            ") and p.visibility <= %d and p.deleted_at is null and p.parent_id is null and (p.renote_of_id is null"
            " or (r.deleted_at is null and r.author_id <> all(",
            (int)in->seen_as);
        add_ids(&sql, in->except_author_ids, in->n_except_author_ids);
        buf_append_c(&sql, "))) and p.id ");
        buf_printf(&sql, "%s '%s' limit %u) x", newer ? ">" : "<",
                   newer                      ? in->after_id
                   : in->before_id[0] != '\0' ? in->before_id
                                              : "ffffffff-ffff-ffff-ffff-ffffffffffff",
                   in->limit);
        const char *ids = value(sql.data);
        buf_free(&sql);
        return ids;
}

static void check(const Note__ListIdsByAuthorsRequest *in)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(test_network_service("timeline"), 60000);
        Note__NoteRefs out = NOTE__NOTE_REFS__INIT;
        struct buf ids;

        buf_init(&ids, 200000);
        if (note_list_ids_by_authors(c, in, &out) != SN_OK) {
                fail_msg("%s", c->problem.detail);
        }
        for (size_t i = 0; i < out.n_items; i++) {
                buf_printf(&ids, "%s%s", i > 0 ? " " : "", out.items[i]->id);
        }
        assert_string_equal(ids.len > 0 ? ids.data : "", plain_list(in));
        buf_free(&ids);
}

/* ---- Any scan ---- */

static unsigned drawn = 1;

static unsigned draw(unsigned below)
{
        drawn = drawn * 1103515245 + 12345;
        return (drawn >> 8) % below;
}

static char *some_id(char out[UUID_SIZE])
{
        char sql[200];

        (void)snprintf(sql, sizeof(sql), "select id from notes order by id offset %u limit 1", draw(4000));
        (void)snprintf(out, UUID_SIZE, "%s", value(sql));
        return out;
}

static void check_some(void)
{
        static const uint32_t limits[] = {1, 7, 21, 100, 800};
        Note__ListIdsByAuthorsRequest in = NOTE__LIST_IDS_BY_AUTHORS_REQUEST__INIT;
        char *ids[AUTHORS], *except[] = {authors[0], authors[3]}, beyond[UUID_SIZE];

        for (size_t i = 0; i < AUTHORS; i++) {
                ids[i] = authors[i];
        }
        for (size_t i = AUTHORS - 1; i > 0; i--) {
                size_t k = draw((unsigned)i + 1);
                char *other = ids[k];

                ids[k] = ids[i];
                ids[i] = other;
        }
        in.author_ids = ids;
        in.n_author_ids = 51 + draw(AUTHORS - 50);
        in.except_author_ids = except;
        in.n_except_author_ids = draw(3);
        in.seen_as = (Note__Visibility)(1 + draw(3));
        in.limit = limits[draw(5)];
        switch (draw(4)) {
        case 0:
                break;
        case 1:
                in.after_id = draw(4) == 0 ? (char *)"00000000-0000-0000-0000-000000000000" : some_id(beyond);
                break;
        default:
                in.before_id = some_id(beyond);
        }
        check(&in);
}

static void write_something(void)
{
        const char *const who[] = {anna, bert, cleo};
        const char *writer = who[draw(3)];
        const char *id = people_post(writer, "x", 1 + (int)draw(3));

        if (draw(3) == 0) {
                assert_int_equal(STATUS(writer, NOTE(DELETE_NOTE), .id = id), SN_OK);
        }
        id = people_post(writer, "x", PUBLIC);
        (void)ASK(anna, NOTE(RENOTE_NOTE), .id = id);
        if (draw(2) == 0) {
                assert_int_equal(STATUS(writer, NOTE(DELETE_NOTE), .id = id), SN_OK);
        }
}

static void take_in_people(void)
{
        const char *const who[] = {anna, bert, cleo};

        for (int i = 0; i < 3; i++) {
                (void)snprintf(authors[FILLED + i], UUID_SIZE, "%s", who[i]);
        }
}

static void every_scan_finds_what_a_plain_query_finds(void **state)
{
        take_in_people();
        for (int i = 0; i < SCANS; i++) {
                if (i % 4 == 0) {
                        write_something();
                }
                check_some();
                test_release();
        }
}

/* Whoever writes may have committed already: memory is told only afterwards. */
static void the_notes_of_one_who_is_writing_are_not_missed(void **state)
{
        Note__ListIdsByAuthorsRequest in = NOTE__LIST_IDS_BY_AUTHORS_REQUEST__INIT;
        struct act late = {.actor = anna, .method = &NOTE(CREATE_NOTE), .text = "late"};
        char *ids[AUTHORS], sql[300];

        take_in_people();
        for (size_t i = 0; i < AUTHORS; i++) {
                ids[i] = authors[i];
        }
        in.author_ids = ids;
        in.n_author_ids = AUTHORS;
        in.limit = 3;
        in.seen_as = PUBLIC;
        for (int i = 0; i < 3; i++) {
                (void)people_post(bert, "x", PUBLIC);
        }
        check(&in);
        PGconn *held = act_hold_up("note_service", "notes", "new.text like 'late%'", &late);
        (void)snprintf(sql, sizeof(sql),
                       "insert into notes (id, author_id, text, visibility) values (" NOTE_AT(
                           "extract(epoch from now())::bigint * 1000 + 5000") ", '%s', '', 1)",
                       anna);
        (void)value(sql);
        check(&in);
        act_let_go(held, "note_service", "notes", &late);
        check(&in);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            PEOPLE_TEST(every_scan_finds_what_a_plain_query_finds),
            PEOPLE_TEST(the_notes_of_one_who_is_writing_are_not_missed),
        };

        (void)setenv("PGOPTIONS", "-c statement_timeout=0 -c lock_timeout=0", 1);
        return cmocka_run_group_tests_name("newest", tests, start, stop);
}
