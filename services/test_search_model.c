/* Searches compared with a reference that reads every note: random queries by random readers, in every order and page
 * by page, while members follow, block, mute and hide, and notes are written, edited and deleted. SONET_TEST_SEARCHES
 * sets the number (`./dev test --long`: 100,000). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "services/search/query.h"
#include "services/search/search.service.h"
#include "services/test_support.h"

enum { MEMBERS = 8, NOTES = 80, SEARCHES = 100, TEXT_ROOM = 300 };
/* Several changes at a time, since waiting for the index takes longest. */
enum { BETWEEN_CHANGES = 50, CHANGES = 5 };

/* No two are similar enough to count as a typing mistake; some are prefixes of others, and some so frequent that the
 * index has pairs of them. */
static const char *const words[] = {"apricot", "blue",    "blueberry", "cranberry", "dragonfruit",
                                    "fig",     "figment", "the",       "of"};
static const char *const tags[] = {"grove1", "grove2"};
enum { WORDS = sizeof(words) / sizeof(words[0]), TAGS = sizeof(tags) / sizeof(tags[0]) };

static struct {
        const char *id, *name;
        bool unlisted;
} members[MEMBERS];
static struct {
        char *id;
        size_t author;
} notes[NOTES];
static uint64_t seed = 20261127;

static size_t draw(size_t n)
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(seed >> 33) % n;
}

/* ---- The network and its changes ---- */

__attribute__((format(printf, 2, 3))) static void append(char text[TEXT_ROOM], const char *format, ...)
{
        va_list args;
        size_t len = strlen(text);

        va_start(args, format);
        (void)vsnprintf(text + len, TEXT_ROOM - len, format, args);
        va_end(args);
}

static void draw_text(char text[TEXT_ROOM])
{
        text[0] = '\0';
        for (size_t i = 0, n = 1 + draw(6); i < n; i++) {
                append(text, "%s%s", i > 0 ? " " : "", words[draw(WORDS)]);
        }
        if (draw(3) == 0) {
                append(text, " #%s", tags[draw(TAGS)]);
        }
        if (draw(4) == 0) {
                append(text, " @%s", members[draw(MEMBERS)].name);
        }
        if (draw(4) == 0) {
                append(text, " https://example.org/%zu", draw(3));
        }
}

/* A comment, if that is allowed. */
static void write_note(size_t i)
{
        char text[TEXT_ROOM];
        Note__Note *note = NULL;
        size_t author = draw(MEMBERS), above = draw(NOTES);
        bool comment = draw(4) == 0 && notes[above].id != NULL && above != i;

        draw_text(text);
        if (!comment ||
            test_request(members[author].id, &NOTE(CREATE_COMMENT),
                         &(struct test_args){.id = notes[above].id, .text = text}, (void **)&note) != SN_OK) {
                note = ASK(members[author].id, NOTE(CREATE_NOTE), .text = text, .visibility = (int)draw(3) + 1);
        }
        free(notes[i].id);
        notes[i].id = strdup(note->id);
        notes[i].author = author;
}

static void relate(void)
{
        static const struct rpc_method *const methods[] = {
            &follow_methods[FOLLOW_FOLLOW_USER],   &follow_methods[FOLLOW_FOLLOW_USER],
            &follow_methods[FOLLOW_UNFOLLOW_USER], &follow_methods[FOLLOW_BLOCK_USER],
            &follow_methods[FOLLOW_UNBLOCK_USER],  &follow_methods[FOLLOW_UNBLOCK_USER],
            &follow_methods[FOLLOW_MUTE_USER],     &follow_methods[FOLLOW_UNMUTE_USER]};
        const char *a = members[draw(MEMBERS)].id, *b = members[draw(MEMBERS)].id;

        (void)test_request(a, methods[draw(8)], &(struct test_args){.id = b}, NULL); /* may also be refused */
}

static void hide_or_show(size_t member)
{
        User__Settings in = USER__SETTINGS__INIT;
        User__PrivacySettings privacy = USER__PRIVACY_SETTINGS__INIT;

        privacy.searchable_presence_case = USER__PRIVACY_SETTINGS__SEARCHABLE_PRESENCE_SEARCHABLE;
        privacy.searchable = members[member].unlisted;
        in.privacy = &privacy;
        assert_int_equal(test_send(members[member].id, &USER(UPDATE_SETTINGS), &in.base, NULL), SN_OK);
        members[member].unlisted = !members[member].unlisted;
}

static void change_something(void)
{
        size_t dice = draw(10), i = draw(NOTES);
        const char *author = members[notes[i].author].id;
        char text[TEXT_ROOM];

        if (dice < 5) {
                relate();
        } else if (dice < 7) {
                draw_text(text);
                (void)ASK(author, NOTE(EDIT_NOTE), .id = notes[i].id, .text = text);
        } else if (dice < 9) {
                (void)ASK(author, NOTE(DELETE_NOTE), .id = notes[i].id);
                write_note(i);
        } else {
                hide_or_show(draw(MEMBERS));
        }
}

static int start(void **state)
{
        static char names[MEMBERS][20];

        (void)test_start_plain(state);
        for (size_t i = 0; i < MEMBERS; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "seeker%zu", i);
                members[i].name = names[i];
                members[i].id = test_member(names[i]);
        }
        for (size_t i = 0; i < 40; i++) {
                relate();
        }
        for (size_t i = 0; i < NOTES; i++) {
                write_note(i);
                test_release();
        }
        test_network_settle();
        return 0;
}

/* ---- Queries ---- */

static struct query *new_query(struct arena *arena, enum query_kind kind, const char *text)
{
        struct query *query = ARENA_NEW(arena, struct query);

        query->kind = kind;
        query->text = text;
        return query;
}

static struct query *draw_filter(struct arena *arena)
{
        static const enum query_filter filters[] = {FILTER_FROM, FILTER_MENTIONS, FILTER_TAG, FILTER_HAS, FILTER_IS};
        enum query_filter filter = filters[draw(5)];
        const char *text = filter == FILTER_TAG   ? tags[draw(TAGS)]
                           : filter == FILTER_HAS ? "link"
                           : filter == FILTER_IS  ? "comment"
                                                  : members[draw(MEMBERS)].name;
        struct query *query = new_query(arena, QUERY_FILTER, text);

        query->filter = filter;
        return query;
}

static struct query *draw_leaf(struct arena *arena)
{
        const char *word = words[draw(WORDS)];

        switch (draw(6)) {
        case 0:
                return draw_filter(arena);
        case 1:
                return new_query(arena, QUERY_PREFIX, arena_strndup(arena, word, 3));
        case 2:
                return new_query(arena, QUERY_PHRASE, arena_printf(arena, "%s %s", word, words[draw(WORDS)]));
        default:
                return new_query(arena, QUERY_WORD, word);
        }
}

static struct query *draw_tree(struct arena *arena, enum query_kind above, size_t depth)
{
        enum query_kind kind = depth == 0 ? QUERY_WORD : (enum query_kind)draw(5);

        if (kind >= QUERY_WORD || kind == above) {
                return draw_leaf(arena);
        }
        struct query *query = new_query(arena, kind, NULL);
        query->n = kind == QUERY_NOT ? 1 : 2;
        query->children = ARENA_ARRAY(arena, struct query *, query->n);
        for (size_t i = 0; i < query->n; i++) {
                query->children[i] = draw_tree(arena, kind, depth - 1);
        }
        return query;
}

/* At least one leaf that is not excluded, since queries that only exclude are rejected. */
static struct query *draw_query(struct arena *arena, bool known_reader)
{
        struct query *query = new_query(arena, QUERY_AND, NULL);

        query->children = ARENA_ARRAY(arena, struct query *, 4);
        query->children[query->n++] = draw_leaf(arena);
        for (size_t i = draw(3); i > 0; i--) {
                query->children[query->n++] = draw_tree(arena, QUERY_AND, 3);
        }
        if (known_reader && draw(6) == 0) {
                query->children[query->n] = new_query(arena, QUERY_FILTER, draw(2) == 0 ? "mine" : "following");
                query->children[query->n++]->filter = FILTER_IN;
        }
        return query->n == 1 ? query->children[0] : query;
}

/* The last word of a query may be a prefix, unless it is excluded. */
static const struct query *word_that_may_go_on(const struct query *query)
{
        bool excluded = false;

        while (query->kind < QUERY_WORD) {
                excluded = excluded != (query->kind == QUERY_NOT);
                query = query->children[query->n - 1];
        }
        return query->kind == QUERY_WORD && !excluded ? query : NULL;
}

/* ---- The slow reference ---- */

struct reading {
        const char *reader;
        const Follow__FollowedMembers *followed;
        const struct query *may_go_on;
        const Note__Note *note;
        const char *text; /* of the note, with a space before and after each word */
};

static bool has(const struct reading *r, const char *format, const char *word)
{
        char wanted[TEXT_ROOM];

        (void)snprintf(wanted, sizeof(wanted), format, word);
        return strstr(r->text, wanted) != NULL;
}

static bool is_followed(const struct reading *r)
{
        for (size_t i = 0; i < r->followed->n_ids; i++) {
                if (strcmp(r->followed->ids[i], r->note->author->id) == 0) {
                        return true;
                }
        }
        return false;
}

static bool passes(const struct reading *r, const struct query *filter)
{
        switch (filter->filter) {
        case FILTER_FROM:
                return strcmp(r->note->author->username, filter->text) == 0;
        case FILTER_MENTIONS:
                return has(r, " @%s ", filter->text);
        case FILTER_TAG:
                return has(r, " #%s ", filter->text);
        case FILTER_HAS:
                return has(r, " %s", "https://");
        case FILTER_IS:
                return r->note->parent_id[0] != '\0';
        default:
                return strcmp(filter->text, "mine") == 0 ? strcmp(r->note->author->id, r->reader) == 0 : is_followed(r);
        }
}

static bool matches(const struct reading *r, const struct query *query)
{
        switch (query->kind) {
        case QUERY_AND:
                for (size_t i = 0; i < query->n; i++) {
                        if (!matches(r, query->children[i])) {
                                return false;
                        }
                }
                return true;
        case QUERY_OR:
                return matches(r, query->children[0]) || matches(r, query->children[1]);
        case QUERY_NOT:
                return !matches(r, query->children[0]);
        case QUERY_FILTER:
                return passes(r, query);
        default:
                return has(r, query->kind == QUERY_PREFIX || query == r->may_go_on ? " %s" : " %s ", query->text);
        }
}

static bool is_unlisted(const char *author, const char *reader)
{
        for (size_t i = 0; i < MEMBERS; i++) {
                if (strcmp(members[i].id, author) == 0) {
                        return members[i].unlisted && strcmp(author, reader) != 0;
                }
        }
        return false;
}

/* Private notes are not in the index. */
static bool belongs(struct arena *arena, struct reading *r, const struct query *query)
{
        r->text = arena_printf(arena, " %s ", r->note->text);
        return r->note->visibility != NOTE__VISIBILITY__VISIBILITY_ONLY_ME &&
               !is_unlisted(r->note->author->id, r->reader) && matches(r, query);
}

/* expected[i]: note i must be found. */
static void read_every_note(const char *reader, const struct query *query, bool expected[NOTES])
{
        static struct service self = {.name = "search", .contract = &search_contract};
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&self, 60000);
        Follow__ListFollowedSinceRequest follows = FOLLOW__LIST_FOLLOWED_SINCE_REQUEST__INIT;
        Follow__FollowedMembers followed = FOLLOW__FOLLOWED_MEMBERS__INIT;
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;
        Note__Notes seen = NOTE__NOTES__INIT;
        struct reading r = {.reader = reader, .followed = &followed, .may_go_on = word_that_may_go_on(query)};
        sn_status status;

        follows.user_id = (char *)reader;
        follows.limit = MEMBERS;
        assert_int_equal(reader[0] != '\0' ? follow_list_followed_since(c, &follows, &followed) : SN_OK, SN_OK);
        in.viewer_id = (char *)reader;
        in.hide_muted = true;
        in.ids = ARENA_ARRAY(c->arena, char *, NOTES);
        for (in.n_ids = 0; in.n_ids < NOTES; in.n_ids++) {
                in.ids[in.n_ids] = notes[in.n_ids].id;
        }
        do {
                status = note_batch_get(c, &in, &seen);
        } while (status == SN_UNAVAILABLE || status == SN_DEADLINE_EXCEEDED);
        assert_int_equal(status, SN_OK);
        for (size_t i = 0, k = 0; i < NOTES; i++) {
                r.note = k < seen.n_items ? seen.items[k] : NULL;
                expected[i] = r.note != NULL && strcmp(r.note->id, notes[i].id) == 0;
                k += expected[i];
                expected[i] = expected[i] && belongs(c->arena, &r, query);
        }
}

/* ---- Searching ---- */

struct found {
        char ids[NOTES + 1][UUID_SIZE]; /* in the order of the results */
        size_t n;
        bool partial;
};

static void add_page(struct found *found, const Search__SearchPage *page)
{
        found->partial = found->partial || page->partial;
        for (size_t i = 0; i < page->n_items && found->n <= NOTES; i++) {
                (void)snprintf(found->ids[found->n++], UUID_SIZE, "%s", page->items[i]->note->id);
        }
}

/* Whether all pages were read; a busy machine may be too slow for ranking, or to respond at all. */
static bool read_pages(const char *reader, Search__SearchRequest *in, struct found *found)
{
        Search__SearchPage *page = NULL;

        *found = (struct found){.n = 0};
        in->cursor = (char *)"";
        do {
                sn_status status = test_send(reader, &search_methods[SEARCH_SEARCH], &in->base, (void **)&page);

                if (status == SN_UNAVAILABLE || status == SN_DEADLINE_EXCEEDED) {
                        return false;
                }
                if (status != SN_OK) {
                        fail_msg("'%s' of '%s' fails: %d", in->query, reader, status);
                }
                add_page(found, page);
                in->cursor = page->next_cursor;
        } while (page->next_cursor[0] != '\0' && found->n <= NOTES);
        return !found->partial;
}

static size_t count_of(const struct found *found, const char *id)
{
        size_t n = 0;

        for (size_t i = 0; i < found->n; i++) {
                n += strcmp(found->ids[i], id) == 0;
        }
        return n;
}

static void check(const struct found *found, const bool expected[NOTES], const Search__SearchRequest *in,
                  const char *reader)
{
        size_t n = 0;

        for (size_t i = 0; i < NOTES; i++) {
                n += expected[i];
                if (count_of(found, notes[i].id) != expected[i]) {
                        fail_msg("'%s' of '%s', sort %d, limit %u: note %s is found %zu times, to be found %d times",
                                 in->query, reader, in->sort, in->limit, notes[i].id, count_of(found, notes[i].id),
                                 expected[i]);
                }
        }
        assert_int_equal(found->n, n);
        for (size_t i = 1; i < found->n && in->sort == SEARCH__SEARCH_SORT__SEARCH_SORT_NEWEST; i++) {
                assert_true(strcmp(found->ids[i - 1], found->ids[i]) > 0);
        }
}

/* Returns the number of notes found. */
static size_t search_once(void)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1024 * 1024);
        size_t who = draw(MEMBERS + 1);
        const char *reader = who < MEMBERS ? members[who].id : "";
        struct query *query = draw_query(arena, reader[0] != '\0');
        Search__SearchRequest in = SEARCH__SEARCH_REQUEST__INIT;
        struct found found;
        bool expected[NOTES];

        in.query = query_print(arena, query);
        in.type = SEARCH__SEARCH_TYPE__SEARCH_TYPE_NOTES;
        in.sort = (Search__SearchSort)(1 + draw(3));
        in.limit = draw(4) == 0 ? 1 + (unsigned)draw(9) : 100;
        while (!read_pages(reader, &in, &found)) {
                test_release();
        }
        read_every_note(reader, query, expected);
        check(&found, expected, &in, reader);
        test_release();
        return found.n;
}

static void searches_match_the_reference(void **state)
{
        const char *given = getenv("SONET_TEST_SEARCHES");
        long searches = given != NULL ? strtol(given, NULL, 10) : SEARCHES;
        size_t found = 0;

        for (long i = 0; i < searches; i++) {
                if (i % BETWEEN_CHANGES == 0) {
                        for (size_t k = 0; k < CHANGES; k++) {
                                change_something();
                        }
                        test_service_settle("search");
                }
                found += search_once();
        }
        assert_true(found > (size_t)searches); /* otherwise the test would show little */
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(searches_match_the_reference)};

        return cmocka_run_group_tests_name("search model", tests, start, test_stop);
}
