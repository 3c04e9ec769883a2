/* Home timelines against a slow reference that is computed from the tables: while Redis is emptied and its connections
 * are cut in the middle of fan-outs, without Redis, after long absence, and far down. The seed is printed; set
 * SONET_TEST_SEED to repeat one, and SONET_TEST_ROUNDS for more of the disturbed ones. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/clock.h"
#include "services/test_support.h"

#define NOTE(m)     note_methods[NOTE_##m]
#define FOLLOW(m)   follow_methods[FOLLOW_##m]
#define TIMELINE(m) timeline_methods[TIMELINE_##m]

#define MEMBERS   8
#define WRITERS   4
#define NOTES_MAX 20000

static const char *members[MEMBERS];
static unsigned seed;

/* ---- The reference: everything in memory, one rule after the other ---- */

struct note {
        char id[UUID_SIZE], author[UUID_SIZE], renote_of[UUID_SIZE];
        int visibility;
        bool deleted, comment;
};

struct pair {
        char a[UUID_SIZE], b[UUID_SIZE];
};

struct pairs {
        struct pair *items;
        size_t n;
};

static struct note *notes; /* newest first */
static size_t n_notes;
static struct pairs follows, blocks, mutes;

static PGresult *rows_of(const char *database, const char *sql)
{
        PGconn *pg = test_admin_connect(database);
        PGresult *result = PQexec(pg, sql);

        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
                fail_msg("%s: %s", sql, PQerrorMessage(pg));
        }
        PQfinish(pg);
        return result;
}

static void copy_id(char out[UUID_SIZE], const PGresult *result, int row, int column)
{
        (void)snprintf(out, UUID_SIZE, "%s", PQgetvalue(result, row, column));
}

static void load_pairs(const char *sql, struct pairs *pairs)
{
        PGresult *result = rows_of("follow_service", sql);

        free(pairs->items);
        pairs->n = (size_t)PQntuples(result);
        pairs->items = calloc(pairs->n + 1, sizeof(*pairs->items));
        for (size_t i = 0; i < pairs->n; i++) {
                copy_id(pairs->items[i].a, result, (int)i, 0);
                copy_id(pairs->items[i].b, result, (int)i, 1);
        }
        PQclear(result);
}

static void load_notes(void)
{
        PGresult *result =
            rows_of("note_service",
                    "select id, author_id, coalesce(renote_of_id::text, ''), visibility, deleted_at is not null,"
                    " parent_id is not null from notes order by id desc");

        free(notes);
        n_notes = (size_t)PQntuples(result);
        notes = calloc(n_notes + 1, sizeof(*notes));
        for (size_t i = 0; i < n_notes; i++) {
                copy_id(notes[i].id, result, (int)i, 0);
                copy_id(notes[i].author, result, (int)i, 1);
                copy_id(notes[i].renote_of, result, (int)i, 2);
                notes[i].visibility = PQgetvalue(result, (int)i, 3)[0] - '0';
                notes[i].deleted = PQgetvalue(result, (int)i, 4)[0] == 't';
                notes[i].comment = PQgetvalue(result, (int)i, 5)[0] == 't';
        }
        PQclear(result);
}

static void load_reference(void)
{
        load_notes();
        load_pairs("select follower_id, followee_id from user_relationships", &follows);
        load_pairs("select blocker_id, blocked_id from user_blocks", &blocks);
        load_pairs("select muter_id, muted_id from user_mutes", &mutes);
}

static bool holds(const struct pairs *pairs, const char *a, const char *b)
{
        for (size_t i = 0; i < pairs->n; i++) {
                if (strcmp(pairs->items[i].a, a) == 0 && strcmp(pairs->items[i].b, b) == 0) {
                        return true;
                }
        }
        return false;
}

static bool may_see(const char *reader, const struct note *note)
{
        bool own = strcmp(reader, note->author) == 0;
        bool blocked = holds(&blocks, reader, note->author) || holds(&blocks, note->author, reader);

        return !note->deleted &&
               (own || (!blocked &&
                        (note->visibility == 1 || (note->visibility == 2 && holds(&follows, reader, note->author)))));
}

static const struct note *find_note(const char *id)
{
        for (size_t i = 0; i < n_notes; i++) {
                if (strcmp(notes[i].id, id) == 0) {
                        return &notes[i];
                }
        }
        return NULL;
}

static bool belongs(const char *reader, const struct note *note)
{
        bool own = strcmp(reader, note->author) == 0;
        const struct note *inner;

        if (note->comment ||
            (!own && (!holds(&follows, reader, note->author) || holds(&mutes, reader, note->author))) ||
            !may_see(reader, note)) {
                return false;
        }
        if (note->renote_of[0] == '\0') {
                return true;
        }
        inner = find_note(note->renote_of);
        return inner != NULL && may_see(reader, inner) && (own || !holds(&mutes, reader, inner->author)) &&
               !holds(&blocks, inner->author, note->author);
}

/* A note stands once: where the newest who pass it on put it. */
static bool stands_further_up(const char *reader, size_t i)
{
        const char *target = notes[i].renote_of[0] != '\0' ? notes[i].renote_of : notes[i].id;

        for (size_t k = 0; k < i; k++) {
                if (strcmp(notes[k].renote_of, target) == 0 && belongs(reader, &notes[k])) {
                        return true;
                }
        }
        return false;
}

/* ---- What the service says, to the end ---- */

static char (*read_home(const char *reader, uint32_t limit, size_t *n))[UUID_SIZE]
{
        char(*ids)[UUID_SIZE] = calloc(NOTES_MAX, UUID_SIZE);
        char cursor[600] = "";

        *n = 0;
        do {
                Timeline__Page *page = ASK(reader, TIMELINE(GET_HOME), .cursor = cursor, .limit = limit);

                assert_true(page->n_items <= limit && *n + page->n_items < NOTES_MAX);
                for (size_t i = 0; i < page->n_items; i++) {
                        (void)snprintf(ids[(*n)++], UUID_SIZE, "%s", page->items[i]->id);
                }
                (void)snprintf(cursor, sizeof(cursor), "%s", page->next_cursor);
                test_release();
        } while (cursor[0] != '\0');
        return ids;
}

static void tell(const char *reader, const char *how, size_t at, const char *expected, const char *found)
{
        const struct note *note = find_note(strcmp(expected, found) > 0 ? expected : found);

        fail_msg("seed %u, %s, the timeline of %s, place %zu: %s instead of %s (author %s, renote of %s, visibility "
                 "%d, deleted %d, followed %d)",
                 seed, how, reader, at, found, expected, note != NULL ? note->author : "?",
                 note != NULL ? note->renote_of : "", note != NULL ? note->visibility : 0,
                 note != NULL && note->deleted, note != NULL && holds(&follows, reader, note->author));
}

static void check_home(const char *reader, uint32_t limit, const char *how)
{
        size_t n, at = 0;
        char(*ids)[UUID_SIZE] = read_home(reader, limit, &n);

        for (size_t i = 0; i < n_notes; i++) {
                if (belongs(reader, &notes[i]) && !stands_further_up(reader, i)) {
                        if (at == n || strcmp(ids[at], notes[i].id) != 0) {
                                tell(reader, how, at, notes[i].id, at < n ? ids[at] : "the end");
                        }
                        at++;
                }
        }
        if (at != n) {
                tell(reader, how, at, "the end", ids[at]);
        }
        free(ids);
}

static void check_all(uint32_t limit, const char *how)
{
        load_reference();
        for (size_t i = 0; i < MEMBERS; i++) {
                check_home(members[i], limit, how);
        }
}

static void flush_redis(void)
{
        const char *argv[] = {"FLUSHALL"};

        (void)test_redis_do(1, argv);
}

/* ---- Many at once ---- */

struct writer {
        pthread_t thread;
        unsigned random;
        int steps;
        char failure[200];
        char ids[64][UUID_SIZE]; /* some of the notes that it posted */
        const char *authors[64];
        size_t n_posts;
};

static atomic_bool chaos_over;

static unsigned draw(struct writer *w, unsigned bound)
{
        return (unsigned)rand_r(&w->random) % bound;
}

/* What may happen to anybody; all else is a defect. */
static void note_status(struct writer *w, const struct rpc_method *m, sn_status status)
{
        if (status != SN_OK && status != SN_NOT_FOUND && status != SN_PERMISSION_DENIED && w->failure[0] == '\0') {
                (void)snprintf(w->failure, sizeof(w->failure), "%s: %s (%s)", m->name, sn_status_name(status),
                               test_problem_code());
        }
}

static void act(struct writer *w, const char *actor, const struct rpc_method *m, const char *id)
{
        note_status(w, m, test_request(actor, m, &(struct test_args){.id = id}, NULL));
}

static void post(struct writer *w, const char *actor)
{
        struct test_args args = {.text = "hello #world",
                                 .visibility = 1 + (int)(draw(w, 10) > 6) + (int)(draw(w, 10) > 8)};
        Note__Note *note = NULL;
        sn_status status = test_request(actor, &NOTE(CREATE_NOTE), &args, (void **)&note);

        note_status(w, &NOTE(CREATE_NOTE), status);
        if (status == SN_OK) {
                (void)snprintf(w->ids[w->n_posts % 64], UUID_SIZE, "%s", note->id);
                w->authors[w->n_posts++ % 64] = actor;
        }
}

/* Half of all builds meet a delivery that is on its way. */
static void read_newly(struct writer *w, const char *actor, bool forget)
{
        char key[80];
        const char *argv[] = {"DEL", key};

        (void)snprintf(key, sizeof(key), "tl:home:%s", actor);
        if (forget) {
                (void)test_redis_do(2, argv);
        }
        act(w, actor, &TIMELINE(GET_HOME), NULL);
}

static void step(struct writer *w)
{
        static const struct rpc_method *const on_members[] = {
            &FOLLOW(FOLLOW_USER),   &FOLLOW(FOLLOW_USER), &FOLLOW(FOLLOW_USER), &FOLLOW(FOLLOW_USER),
            &FOLLOW(UNFOLLOW_USER), &FOLLOW(MUTE_USER),   &FOLLOW(UNMUTE_USER), &FOLLOW(BLOCK_USER),
            &FOLLOW(UNBLOCK_USER),  &FOLLOW(UNBLOCK_USER)};
        const char *actor = members[draw(w, MEMBERS)], *other = members[draw(w, MEMBERS)];
        unsigned dice = draw(w, 100);
        size_t some = w->n_posts > 0 ? draw(w, (unsigned)(w->n_posts < 64 ? w->n_posts : 64)) : 0;

        if (dice < 45 || w->n_posts == 0) {
                post(w, actor);
        } else if (dice < 60) {
                if (actor != other) {
                        act(w, actor, on_members[draw(w, 10)], other);
                }
        } else if (dice < 67) {
                act(w, actor, &NOTE(RENOTE_NOTE), w->ids[some]);
        } else if (dice < 71) {
                act(w, actor, &NOTE(UNRENOTE_NOTE), w->ids[some]);
        } else if (dice < 77) {
                act(w, w->authors[some], &NOTE(DELETE_NOTE), w->ids[some]);
        } else {
                read_newly(w, actor, dice < 95);
        }
        test_release();
}

static void *write_much(void *argument)
{
        struct writer *w = argument;

        for (int i = 0; i < w->steps; i++) {
                step(w);
        }
        return NULL;
}

/* Full: it answers readers, and refuses what is delivered. */
static void fill_redis(struct writer *w)
{
        const char *full[] = {"CONFIG", "SET", "maxmemory", "1"}, *empty[] = {"CONFIG", "SET", "maxmemory", "0"};

        (void)test_redis_do(4, full);
        clock_sleep_ms(1 + draw(w, 20));
        while (!test_redis_do(4, empty)) {
                clock_sleep_ms(5);
        }
}

/* What is done to Redis while deliveries are on their way. Each for itself, too: one may heal what another one broke.
 */
enum disturbance { NOTHING, EMPTY, FILL, CUT, N_DISTURBANCES, ANY = N_DISTURBANCES };

static void *disturb(void *argument)
{
        const char *flush[] = {"FLUSHALL"}, *cut[] = {"CLIENT", "KILL", "TYPE", "normal"};
        const enum disturbance *kind = argument;
        struct writer w = {.random = seed + 1000};

        while (!atomic_load(&chaos_over)) {
                enum disturbance now = *kind == ANY ? (enum disturbance)draw(&w, N_DISTURBANCES) : *kind;

                clock_sleep_ms(1 + draw(&w, 60));
                if (now == EMPTY) {
                        (void)test_redis_do(1, flush);
                } else if (now == CUT) {
                        (void)test_redis_do(4, cut);
                } else if (now == FILL) {
                        fill_redis(&w);
                }
        }
        return NULL;
}

static void run_writers(int steps, enum disturbance kind)
{
        struct writer *writers = calloc(WRITERS, sizeof(*writers));
        pthread_t disturber;

        atomic_store(&chaos_over, false);
        (void)pthread_create(&disturber, NULL, disturb, &kind);
        for (unsigned i = 0; i < WRITERS; i++) {
                writers[i].random = seed + i;
                writers[i].steps = steps;
                (void)pthread_create(&writers[i].thread, NULL, write_much, &writers[i]);
        }
        for (unsigned i = 0; i < WRITERS; i++) {
                (void)pthread_join(writers[i].thread, NULL);
        }
        atomic_store(&chaos_over, true);
        (void)pthread_join(disturber, NULL);
        for (unsigned i = 0; i < WRITERS; i++) {
                if (writers[i].failure[0] != '\0') {
                        fail_msg("seed %u: %s", seed, writers[i].failure);
                }
        }
        free(writers);
}

static void disturbed_in_the_middle_of_fan_outs_redis_changes_nothing(void **state)
{
        const char *given = getenv("SONET_TEST_ROUNDS");
        long rounds = given != NULL ? strtol(given, NULL, 10) : 10;

        for (long round = 0; round < rounds; round++) {
                seed++;
                run_writers(20 + (int)(seed % 50), (enum disturbance)(round % (ANY + 1)));
                test_network_settle();
                check_all(100, "after the disturbance");
                check_all(7 + seed % 30, "from what that left in Redis");
        }
}

static void undisturbed_timelines_are_right(void **state)
{
        seed++;
        run_writers(200, NOTHING);
        test_network_settle();
        check_all(3, "undisturbed");
        check_all(100, "again");
}

/* ---- Long absence, and depth ---- */

static const char *post_one(const char *author)
{
        Note__Note *note = ASK(author, NOTE(CREATE_NOTE), .text = "x");

        return note->id;
}

static void post_many(const char *author, int n)
{
        for (int i = 0; i < n; i++) {
                (void)post_one(author);
                test_release();
        }
}

/* As if time had passed: the mark in PostgreSQL, and the day that the header of the set in Redis has. */
static void let_days_pass(const char *owner, int days)
{
        static const char lua[] =
            "local day = redis.call('GETRANGE', KEYS[1], 25, 28) if day == '' then return end "
            "redis.call('SETRANGE', KEYS[1], 25, struct.pack('>I4', struct.unpack('>I4', day) - tonumber(ARGV[1])))";
        char sql[200], key[80], count[16];
        const char *argv[] = {"EVAL", lua, "1", key, count};

        (void)snprintf(sql, sizeof(sql),
                       "update timeline_cache set read_at = read_at - interval '%d days' where owner_id = '%s'", days,
                       owner);
        (void)snprintf(key, sizeof(key), "tl:home:%s", owner);
        (void)snprintf(count, sizeof(count), "%d", days);
        (void)test_admin("timeline_service", sql);
        (void)test_redis_do(5, argv);
}

static void follow(const char *who, const char *whom)
{
        (void)ASK(who, FOLLOW(FOLLOW_USER), .id = whom);
}

/* Delivery passes over whom it has not seen for 30 days; what was missed is there when they come back. */
static void a_member_who_was_away_for_a_month_finds_everything(void **state)
{
        static const char owned[] = "select count(*) from timeline_entries where owner_id = ";
        const char *reader = test_member("traveller"), *author = test_member("diarist");
        char sql[200], before[32];

        follow(reader, author);
        post_many(author, 5);
        test_network_settle();
        load_reference();
        check_home(reader, 3, "before");
        let_days_pass(reader, 31);
        (void)snprintf(sql, sizeof(sql), "%s'%s'", owned, reader);
        (void)snprintf(before, sizeof(before), "%s", test_admin("timeline_service", sql));
        post_many(author, 7);
        test_network_settle();
        assert_string_equal(test_admin("timeline_service", sql), before); /* nothing was delivered */
        load_reference();
        check_home(reader, 3, "after a month");
        post_many(author, 2);
        test_network_settle();
        load_reference();
        check_home(reader, 3, "at home again");
}

static void yesterdays_timeline_is_marked_as_read_today(void **state)
{
        const char *reader = test_member("weekly"), *author = test_member("daily");

        follow(reader, author);
        post_many(author, 3);
        load_reference();
        check_home(reader, 2, "first");
        for (int week = 0; week < 6; week++) {
                let_days_pass(reader, 7);
                (void)post_one(author);
                test_network_settle();
                load_reference();
                check_home(reader, 2, "a week later");
        }
}

static void check_deep(const char *reader, const char *how)
{
        load_reference();
        check_home(reader, 100, how);
        check_home(reader, 33, how);
        flush_redis();
        check_home(reader, 33, how);
        flush_redis();
        check_home(reader, 100, how);
}

/* A full Redis answers readers from what it has, and refuses what is delivered. */
static void what_a_full_redis_refused_is_not_missing(void **state)
{
        const char *full[] = {"CONFIG", "SET", "maxmemory", "1"}, *empty[] = {"CONFIG", "SET", "maxmemory", "0"};
        const char *reader = test_member("patient"), *author = test_member("prolific");

        follow(reader, author);
        post_many(author, 2);
        test_network_settle();
        load_reference();
        check_home(reader, 5, "before");
        assert_true(test_redis_do(4, full));
        post_many(author, 2);
        test_network_settle();
        load_reference();
        check_home(reader, 5, "while Redis is full");
        assert_true(test_redis_do(4, empty));
        check_home(reader, 5, "afterwards");
        post_many(author, 1);
        test_network_settle();
        load_reference();
        check_home(reader, 5, "and later");
}

static bool set_is_short(const char *owner)
{
        static const char lua[] = "if redis.call('STRLEN', KEYS[1]) > 10000 then return redis.error_reply('long') end";
        char key[80];
        const char *argv[] = {"EVAL", lua, "1", key};

        (void)snprintf(key, sizeof(key), "tl:home:%s", owner);
        return test_redis_do(4, argv);
}

static void a_set_that_grew_long_is_cut_by_its_reader_and_lacks_nothing(void **state)
{
        const char *reader = test_member("seldom_there"), *author = test_member("talkative");

        follow(reader, author);
        post_many(author, 250);
        test_network_settle();
        load_reference();
        check_home(reader, 50, "as it was built");
        post_many(author, 450);
        test_network_settle();
        assert_false(set_is_short(reader));
        load_reference();
        check_home(reader, 50, "with much on top");
        assert_true(set_is_short(reader));
        check_home(reader, 33, "after it was cut");
        post_many(author, 3);
        test_network_settle();
        load_reference();
        check_home(reader, 50, "with more on top");
}

/* More than the tail holds, from authors who wrote at different times: following one of old brings notes from below the
 * tail of another. */
static void far_below_the_tail_nothing_is_missing(void **state)
{
        const char *reader = test_member("archivist"), *early = test_member("early"), *late = test_member("late"),
                   *between = test_member("between");

        post_many(early, 30);
        post_many(between, 60);
        post_many(early, 870);
        post_many(between, 10);
        post_many(late, 850);
        follow(reader, late);
        check_deep(reader, "one author beyond the tail");
        follow(reader, early);
        check_deep(reader, "another one who wrote before");
        follow(reader, between);
        check_deep(reader, "a third one in between");
        post_many(late, 260); /* long enough for the set in Redis to be cut */
        test_network_settle();
        check_deep(reader, "with more on top");
        (void)test_network_run_job("timeline", "prune_timelines");
        check_deep(reader, "with a tail that was cut");
        (void)ASK(reader, FOLLOW(UNFOLLOW_USER), .id = late);
        check_deep(reader, "without the latest");
}

/* More than are asked for at once; a delivery in the same batch, by somebody with few. */
static void a_note_reaches_each_of_many_followers(void **state)
{
        const char *famous = test_member("famous"), *other = test_member("unknown"),
                   *reader = test_member("one_of_many");
        char sql[400];

        (void)snprintf(sql, sizeof(sql),
                       "insert into user_relationships (follower_id, followee_id)"
                       " select lpad(to_hex(n), 32, '0')::uuid, '%s' from generate_series(1, 12000) n",
                       famous);
        (void)test_admin("follow_service", sql);
        (void)test_admin("timeline_service",
                         "insert into timeline_cache (owner_id, built_at)"
                         " select lpad(to_hex(n), 32, '0')::uuid, now() from generate_series(1, 12000) n");
        follow(reader, famous);
        follow(reader, other);
        load_reference();
        check_home(reader, 5, "before");
        for (int i = 0; i < 3; i++) {
                post_many(famous, 1);
                post_many(other, 1);
        }
        test_network_settle();
        load_reference();
        check_home(reader, 5, "after");
        (void)snprintf(sql, sizeof(sql),
                       "select count(*) = 3 * 12001 and count(distinct owner_id) = 12001 from timeline_entries"
                       " where author_id = '%s'",
                       famous);
        assert_string_equal(test_admin("timeline_service", sql), "t");
}

/* ---- What delivery costs at once, and what a start keeps ---- */

/* How many rows each statement of delivery inserts, in a table of the test. */
static void count_rows_of_statements(void)
{
        (void)test_admin("timeline_service",
                         "create table statements (n bigint);"
                         "grant all on statements to public;"
                         "create function count_rows() returns trigger language plpgsql as"
                         " $$ begin insert into statements select count(*) from added; return null; end $$;"
                         "create trigger counting after insert on timeline_entries referencing new table as added"
                         " for each statement execute function count_rows()");
}

static void stop_counting(void)
{
        (void)test_admin("timeline_service", "drop table statements; drop function count_rows cascade");
}

/* A line of /proc/self/status, in KiB. */
static long memory_kib(const char *name)
{
        char line[128];
        long kib = 0;
        FILE *file = fopen("/proc/self/status", "r");

        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
                if (strncmp(line, name, strlen(name)) == 0) {
                        kib = strtol(line + strlen(name), NULL, 10);
                }
        }
        (void)fclose(file);
        return kib;
}

static void forget_peak_of_memory(void)
{
        FILE *file = fopen("/proc/self/clear_refs", "w");

        assert_non_null(file);
        (void)fputs("5", file);
        assert_int_equal(fclose(file), 0);
}

static void give_followers(const char *author, int n)
{
        char sql[400];

        (void)snprintf(sql, sizeof(sql),
                       "insert into user_relationships (follower_id, followee_id)"
                       " select lpad(to_hex(n), 32, '0')::uuid, '%s' from generate_series(1, %d) n",
                       author, n);
        (void)test_admin("follow_service", sql);
        (void)snprintf(sql, sizeof(sql),
                       "insert into timeline_cache (owner_id, built_at) select lpad(to_hex(n), 32, '0')::uuid, now()"
                       " from generate_series(1, %d) n on conflict do nothing",
                       n);
        (void)test_admin("timeline_service", sql);
}

static int statements(void)
{
        return (int)strtol(test_admin("timeline_service", "select count(*) from statements"), NULL, 10);
}

static void wait_for_statements(int n)
{
        char sql[80];

        (void)snprintf(sql, sizeof(sql), "select count(*) >= %d from statements", n);
        test_wait_for("timeline_service", sql);
}

#define FLOOD_FOLLOWERS 5000
#define ROWS_AT_ONCE    10000 /* services/timeline/deliver.c */

/* Many notes at once of somebody with many followers: SONET_TEST_FLOOD=300 for what was seen to take 181 MiB. */
static void a_flood_is_delivered_in_portions_and_none_is_done_twice(void **state)
{
        const char *given = getenv("SONET_TEST_FLOOD"), *author = test_member("flooding");
        int n = given != NULL ? (int)strtol(given, NULL, 10) : 40, before;
        long memory;
        char sql[200];

        give_followers(author, FLOOD_FOLLOWERS);
        test_network_settle();
        test_network_stop_consumers("timeline");
        post_many(author, n);
        test_wait_for("note_service", "select count(*) = 0 from outbox where position is null");
        count_rows_of_statements();
        forget_peak_of_memory();
        memory = memory_kib("VmHWM:");
        test_network_start_consumers("timeline");
        wait_for_statements(3);
        before = statements();
        test_network_stop_consumers("timeline");
        assert_true(statements() <= before + 2); /* the one that ran when it was asked, and one that ended meanwhile */
        test_network_start_consumers("timeline");
        for (int done = before; done < n * FLOOD_FOLLOWERS / ROWS_AT_ONCE; done += 10) {
                wait_for_statements(done);
        }
        test_network_settle();
        memory = memory_kib("VmHWM:") - memory;
        (void)snprintf(sql, sizeof(sql), "select max(n) = %d and sum(n) = %d and count(*) = %d from statements",
                       ROWS_AT_ONCE, n * FLOOD_FOLLOWERS, n * FLOOD_FOLLOWERS / ROWS_AT_ONCE);
        assert_string_equal(test_admin("timeline_service", sql), "t");
        if (memory > 32 * 1024) {
                fail_msg("delivery took %ld KiB", memory);
        }
        stop_counting();
}

/* More followers than one portion has: it is stopped within the event, and goes on there. */
static void a_note_to_very_many_goes_on_where_its_delivery_was_stopped(void **state)
{
        const char *author = test_member("celebrity");
        char sql[200];

        give_followers(author, 5 * ROWS_AT_ONCE);
        test_network_settle();
        count_rows_of_statements();
        (void)post_one(author);
        for (int i = 1; i <= 3; i++) {
                wait_for_statements(i);
                test_network_stop_consumers("timeline");
                test_network_start_consumers("timeline");
        }
        test_network_settle();
        (void)snprintf(sql, sizeof(sql), "select max(n) = %d and sum(n) = %d and min(n) = %d from statements",
                       ROWS_AT_ONCE, 5 * ROWS_AT_ONCE, ROWS_AT_ONCE);
        assert_string_equal(test_admin("timeline_service", sql), "t");
        stop_counting();
}

static bool key_exists(const char *key)
{
        static const char lua[] = "if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('none') end";
        const char *argv[] = {"EVAL", lua, "1", key};

        return test_redis_do(4, argv);
}

static void wait_key(const char *key, bool exists)
{
        for (int64_t until_us = clock_monotonic_us() + 20000000; key_exists(key) != exists;) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
}

/* Without its rows in PostgreSQL the timeline can only come from Redis. */
static void remove_tail(const char *owner)
{
        char sql[120];

        (void)snprintf(sql, sizeof(sql), "delete from timeline_entries where owner_id = '%s'", owner);
        (void)test_admin("timeline_service", sql);
}

static size_t count_home(const char *reader)
{
        size_t n;

        free(read_home(reader, 5, &n));
        return n;
}

static void a_start_keeps_what_is_in_redis(void **state)
{
        const char *reader = test_member("kept"), *author = test_member("keeper");
        char key[80];

        (void)snprintf(key, sizeof(key), "tl:home:%s", reader);
        follow(reader, author);
        post_many(author, 3);
        test_network_settle();
        assert_int_equal(count_home(reader), 3);
        post_many(author, 3);
        test_network_settle();
        test_network_stop_consumers("timeline");
        wait_key("tl:sync:in-step", false);
        test_network_start_consumers("timeline");
        wait_key("tl:sync:in-step", true);
        assert_true(key_exists(key));
        remove_tail(reader);
        assert_int_equal(count_home(reader), 6);
}

/* As a Redis that was restored from a copy of some minutes ago. */
static void a_start_drops_what_delivery_had_not_reached(void **state)
{
        const char *reader = test_member("dropped"), *author = test_member("dropping");
        const char *behind[] = {"SET", "tl:sync:progress", "018f0000-0000-7000-8000-000000000000 1 "};
        char key[80];

        (void)snprintf(key, sizeof(key), "tl:home:%s", reader);
        follow(reader, author);
        post_many(author, 3);
        test_network_settle();
        assert_int_equal(count_home(reader), 3);
        assert_true(key_exists(key));
        test_network_stop_consumers("timeline");
        assert_true(test_redis_do(3, behind));
        test_network_start_consumers("timeline");
        wait_key(key, false);
        load_reference();
        check_home(reader, 5, "afterwards");
}

/* A process that only reads: where delivery is cut off from Redis, and goes on without it, nobody tells. */
static void without_delivery_redis_is_not_believed(void **state)
{
        const char *reader = test_member("doubter"), *author = test_member("doubted");
        const char *id;
        char sql[300];

        follow(reader, author);
        post_many(author, 3);
        test_network_settle();
        assert_int_equal(count_home(reader), 3);
        test_network_stop_consumers("timeline");
        id = post_one(author);
        wait_key("tl:sync:in-step", false);
        (void)snprintf(sql, sizeof(sql), "insert into timeline_entries values ('%s', '%s', '%s')", reader, id, author);
        (void)test_admin("timeline_service", sql);
        assert_int_equal(count_home(reader), 4);
        test_network_start_consumers("timeline");
        test_network_settle();
        assert_int_equal(count_home(reader), 4);
}

/* A short tail that was complete, then somebody with a long past. */
static void old_notes_of_one_do_not_hide_older_ones_of_another(void **state)
{
        const char *reader = test_member("collector"), *seldom = test_member("seldom"), *often = test_member("often");

        post_many(often, 300);
        post_many(seldom, 50);
        post_many(often, 820);
        follow(reader, seldom);
        check_deep(reader, "one who writes seldom");
        follow(reader, often);
        check_deep(reader, "and one who writes often");
}

static void deleted_notes_in_the_tail_do_not_open_a_gap(void **state)
{
        const char *reader = test_member("reader_of_gaps"), *author = test_member("deleter"),
                   *older = test_member("older");
        char(*ids)[UUID_SIZE] = calloc(900, UUID_SIZE);

        post_many(older, 100);
        post_many(author, 100);
        for (int i = 0; i < 900; i++) {
                (void)snprintf(ids[i], UUID_SIZE, "%s", post_one(author));
                test_release();
        }
        follow(reader, author);
        check_deep(reader, "whole");
        follow(reader, older);
        check_deep(reader, "with older ones");
        for (int i = 500; i < 900; i++) {
                (void)ASK(author, NOTE(DELETE_NOTE), .id = ids[i]);
                test_release();
        }
        test_network_settle();
        check_deep(reader, "after deletes");
        free(ids);
}

/* ---- A Redis of the test's own, to stop and to start again ---- */

static char redis_dir[64], redis_socket[96];
static pid_t redis_pid;

static void start_redis(void)
{
        struct stat there;

        redis_pid = fork();
        if (redis_pid == 0) {
                execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis_socket, "--dir", redis_dir,
                       "--save", "", "--logfile", "redis.log", (char *)NULL);
                _exit(127);
        }
        assert_true(redis_pid > 0);
        while (stat(redis_socket, &there) != 0) {
                assert_int_equal(waitpid(redis_pid, NULL, WNOHANG), 0);
                clock_sleep_ms(5);
        }
}

/* As a power cut would: what was not saved is lost. */
static void kill_redis(void)
{
        if (redis_pid > 0) {
                (void)kill(redis_pid, SIGKILL);
                (void)waitpid(redis_pid, NULL, 0);
                (void)unlink(redis_socket);
                redis_pid = 0;
        }
}

/* Its sets lack what was delivered after they were saved. */
static void a_redis_that_comes_back_with_old_sets_is_not_believed(void **state)
{
        const char *reader = test_member("believer"), *author = test_member("author_of_news"), *save[] = {"SAVE"};

        follow(reader, author);
        post_many(author, 3);
        test_network_settle();
        load_reference();
        check_home(reader, 5, "before");
        assert_true(test_redis_do(1, save));
        post_many(author, 3);
        test_network_settle();
        load_reference();
        check_home(reader, 5, "with what was not saved");
        kill_redis();
        check_home(reader, 5, "without Redis");
        start_redis();
        for (int64_t until_us = clock_monotonic_us() + 3000000; clock_monotonic_us() < until_us;) {
                check_home(reader, 5, "while Redis comes back");
        }
        test_network_settle();
        check_home(reader, 5, "when it is back");
        post_many(author, 1);
        test_network_settle();
        load_reference();
        check_home(reader, 5, "and later");
}

/* ---- Set-up ---- */

static void make_members(void)
{
        for (unsigned i = 0; i < MEMBERS; i++) {
                char name[40];

                (void)snprintf(name, sizeof(name), "member_%u", i);
                members[i] = test_member(name);
        }
        test_release();
}

static int start(const char *redis_url, bool encoded)
{
        test_network_start(redis_url, encoded);
        make_members();
        return 0;
}

static int start_plain(void **state)
{
        return start(getenv("SONET_TEST_REDIS_URL"), false);
}

static int start_encoded(void **state)
{
        return start(getenv("SONET_TEST_REDIS_URL"), true);
}

static int start_without_redis(void **state)
{
        return start("redis://127.0.0.1:1", false);
}

static int start_own_redis(void **state)
{
        char url[120];

        (void)snprintf(redis_dir, sizeof(redis_dir), "/tmp/sonet-test-redis.XXXXXX");
        assert_non_null(mkdtemp(redis_dir));
        (void)snprintf(redis_socket, sizeof(redis_socket), "%s/socket", redis_dir);
        (void)snprintf(url, sizeof(url), "unix://%s", redis_socket);
        start_redis();
        return start(url, false);
}

static int stop(void **state)
{
        test_network_stop();
        return 0;
}

static int stop_own_redis(void **state)
{
        static const char *const names[] = {"dump.rdb", "redis.log"};

        test_network_stop();
        kill_redis();
        for (size_t i = 0; i < 2; i++) {
                char path[128];

                (void)snprintf(path, sizeof(path), "%s/%s", redis_dir, names[i]);
                (void)unlink(path);
        }
        return rmdir(redis_dir);
}

int main(void)
{
        const struct CMUnitTest all[] = {
            cmocka_unit_test(disturbed_in_the_middle_of_fan_outs_redis_changes_nothing),
            cmocka_unit_test(a_member_who_was_away_for_a_month_finds_everything),
            cmocka_unit_test(yesterdays_timeline_is_marked_as_read_today),
            cmocka_unit_test(what_a_full_redis_refused_is_not_missing),
            cmocka_unit_test(a_set_that_grew_long_is_cut_by_its_reader_and_lacks_nothing),
            cmocka_unit_test(far_below_the_tail_nothing_is_missing),
            cmocka_unit_test(a_note_reaches_each_of_many_followers),
            cmocka_unit_test(a_flood_is_delivered_in_portions_and_none_is_done_twice),
            cmocka_unit_test(a_note_to_very_many_goes_on_where_its_delivery_was_stopped),
            cmocka_unit_test(a_start_keeps_what_is_in_redis),
            cmocka_unit_test(a_start_drops_what_delivery_had_not_reached),
            cmocka_unit_test(without_delivery_redis_is_not_believed),
            cmocka_unit_test(old_notes_of_one_do_not_hide_older_ones_of_another),
            cmocka_unit_test(deleted_notes_in_the_tail_do_not_open_a_gap),
        };
        const struct CMUnitTest encoded[] = {
            cmocka_unit_test(disturbed_in_the_middle_of_fan_outs_redis_changes_nothing),
            cmocka_unit_test(a_member_who_was_away_for_a_month_finds_everything),
        };
        const struct CMUnitTest without_redis[] = {
            cmocka_unit_test(undisturbed_timelines_are_right),
            cmocka_unit_test(a_member_who_was_away_for_a_month_finds_everything),
            cmocka_unit_test(far_below_the_tail_nothing_is_missing),
        };
        const struct CMUnitTest restored[] = {cmocka_unit_test(a_redis_that_comes_back_with_old_sets_is_not_believed)};
        const char *given = getenv("SONET_TEST_SEED");
        int failed;

        seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_wall_ms();
        fprintf(stderr, "SONET_TEST_SEED=%u\n", seed);
        failed = cmocka_run_group_tests_name("timelines", all, start_plain, stop);
        failed += cmocka_run_group_tests_name("timelines, encoded", encoded, start_encoded, stop);
        failed +=
            cmocka_run_group_tests_name("timelines, a Redis of long ago", restored, start_own_redis, stop_own_redis);
        return failed +
               cmocka_run_group_tests_name("timelines without Redis", without_redis, start_without_redis, stop);
}
