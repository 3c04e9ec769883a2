/* Owns the reference for home timelines: everything in memory, one rule after the other. */
#include "services/test_home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/clock.h"
#include "services/follow/followers.h"
#include "services/timeline/home_memory.h"

#define NOTES_MAX 20000

unsigned test_seed;

struct note {
        char id[UUID_SIZE], author[UUID_SIZE], renote_of[UUID_SIZE];
        int visibility;
        bool deleted, comment;
        bool stood; /* further up, as a renote */
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

void test_seed_choose(void)
{
        const char *given = getenv("SONET_TEST_SEED");

        test_seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_wall_ms();
        fprintf(stderr, "SONET_TEST_SEED=%u\n", test_seed);
}

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

/* Sorted by both, for binary search. */
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

void test_home_load(void)
{
        load_notes();
        load_pairs("select follower_id, followee_id from user_relationships order by 1, 2", &follows);
        load_pairs("select blocker_id, blocked_id from user_blocks order by 1, 2", &blocks);
        load_pairs("select muter_id, muted_id from user_mutes order by 1, 2", &mutes);
}

static int compare_pairs(const void *a, const void *b)
{
        const struct pair *first = a, *second = b;
        int order = strcmp(first->a, second->a);

        return order != 0 ? order : strcmp(first->b, second->b);
}

static bool holds(const struct pairs *pairs, const char *a, const char *b)
{
        struct pair wanted;

        (void)snprintf(wanted.a, UUID_SIZE, "%s", a);
        (void)snprintf(wanted.b, UUID_SIZE, "%s", b);
        return bsearch(&wanted, pairs->items, pairs->n, sizeof(wanted), compare_pairs) != NULL;
}

static bool may_see(const char *reader, const struct note *note)
{
        bool own = strcmp(reader, note->author) == 0;
        bool blocked = holds(&blocks, reader, note->author) || holds(&blocks, note->author, reader);

        return !note->deleted &&
               (own || (!blocked &&
                        (note->visibility == 1 || (note->visibility == 2 && holds(&follows, reader, note->author)))));
}

static int compare_with_note(const void *id, const void *note)
{
        return strcmp(((const struct note *)note)->id, id); /* newest first */
}

static struct note *find_note(const char *id)
{
        return bsearch(id, notes, n_notes, sizeof(*notes), compare_with_note);
}

static bool belongs(const char *reader, const struct note *note)
{
        bool own = strcmp(reader, note->author) == 0;

        if (note->comment ||
            (!own && (!holds(&follows, reader, note->author) || holds(&mutes, reader, note->author))) ||
            !may_see(reader, note)) {
                return false;
        }
        if (note->renote_of[0] == '\0') {
                return true;
        }
        const struct note *inner = find_note(note->renote_of);
        return inner != NULL && may_see(reader, inner) && (own || !holds(&mutes, reader, inner->author)) &&
               !holds(&blocks, inner->author, note->author);
}

/* A note appears once: at its newest renote. Called for visible items, from the top down. */
static bool stands_further_up(struct note *note)
{
        struct note *target = note->renote_of[0] != '\0' ? find_note(note->renote_of) : note;
        bool stood = target->stood;

        target->stood = target->stood || target != note;
        return stood;
}

/* ---- The service's list, to the end ---- */

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
                 test_seed, how, reader, at, found, expected, note != NULL ? note->author : "?",
                 note != NULL ? note->renote_of : "", note != NULL ? note->visibility : 0,
                 note != NULL && note->deleted, note != NULL && holds(&follows, reader, note->author));
}

void test_home_check(const char *reader, uint32_t limit, const char *how)
{
        size_t n, at = 0;
        char(*ids)[UUID_SIZE] = read_home(reader, limit, &n);

        for (size_t i = 0; i < n_notes; i++) {
                notes[i].stood = false;
        }
        for (size_t i = 0; i < n_notes; i++) {
                if (belongs(reader, &notes[i]) && !stands_further_up(&notes[i])) {
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

static void drop_cached(void)
{
        const char *argv[] = {"FLUSHALL"};

        (void)test_redis_do(1, argv); /* without Redis there is nothing to empty */
        home_memory_clear();
}

void test_home_check_deep(const char *reader, const char *how)
{
        test_home_load();
        test_home_check(reader, 100, how);
        test_home_check(reader, 33, how);
        drop_cached();
        test_home_check(reader, 33, how);
        drop_cached();
        test_home_check(reader, 100, how);
}

size_t test_home_count(const char *reader)
{
        size_t n;

        free(read_home(reader, 5, &n));
        return n;
}

/* ---- Changes ---- */

const char *test_post(const char *author)
{
        Note__Note *note = ASK(author, NOTE(CREATE_NOTE), .text = "x");

        return note->id;
}

void test_post_many(const char *author, int n)
{
        for (int i = 0; i < n; i++) {
                (void)test_post(author);
                test_release();
        }
}

void test_follow(const char *who, const char *whom)
{
        (void)ASK(who, FOLLOW(FOLLOW_USER), .id = whom);
}

#define FOLLOWER_KEY "string.format('tl:home:00000000-0000-0000-0000-%012x', n)"

/* The header of a cached timeline (services/timeline/home_cache.c). */
#define HEADER_BYTES "45"

void test_give_followers(const char *author, int n)
{
        static const char lua[] = "for n = 1, tonumber(ARGV[1]) do"
                                  " redis.call('SETNX', " FOLLOWER_KEY ", 's' .. string.rep('\\0', 44)) end return 0";
        char sql[400], count[16];
        const char *argv[] = {"EVAL", lua, "0", count};

        (void)snprintf(sql, sizeof(sql),
                       "insert into user_relationships (follower_id, followee_id)"
                       " select lpad(to_hex(n), 32, '0')::uuid, '%s' from generate_series(1, %d) n",
                       author, n);
        (void)test_admin("follow_service", sql);
        followers_drop(author);
        (void)snprintf(count, sizeof(count), "%d", n);
        (void)test_redis_do(4, argv);
}

void test_remove_followers(const char *author)
{
        char sql[120];

        (void)snprintf(sql, sizeof(sql), "delete from user_relationships where followee_id = '%s'", author);
        (void)test_admin("follow_service", sql);
        followers_drop(author);
}

long long test_followers_rows(int n)
{
        static const char lua[] = "local rows = 0 for n = 1, tonumber(ARGV[1]) do"
                                  " rows = rows + (redis.call('STRLEN', " FOLLOWER_KEY ") - " HEADER_BYTES ") / 32 end"
                                  " return rows";
        char count[16];
        const char *argv[] = {"EVAL", lua, "0", count};

        (void)snprintf(count, sizeof(count), "%d", n);
        return test_redis_number(4, argv);
}

bool test_home_has(const char *reader, const char *author, const char *after)
{
        static const char lua[] =
            "local function bytes(id) return (id:gsub('-', ''):gsub('..', function(x) return string.char(tonumber(x, "
            "16))"
            " end)) end "
            "local list, author, after = redis.call('GET', KEYS[1]) or '', bytes(ARGV[1]), bytes(ARGV[2]) "
            "for at = 1 + " HEADER_BYTES ", #list, 32 do "
            "if list:sub(at, at + 15) > after and list:sub(at + 16, at + 31) == author then return 1 end end return 0";
        char key[80];
        const char *argv[] = {"EVAL", lua, "1", key, author, after};

        (void)snprintf(key, sizeof(key), "tl:home:%s", reader);
        return test_redis_number(6, argv) == 1;
}
