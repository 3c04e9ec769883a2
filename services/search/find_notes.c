/* Finds notes. The index yields candidates; note_service decides which of them the reader may see.
 *
 * By relevance, a bounded number of the newest and most engaged matches is ranked, however many notes match: first
 * those with the words as typed, and others only if there are too few of those. By time and by engagement, pages
 * continue until there are no more matches. */
#include "services/search/find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "services/page.h"
#include "services/search/facets.h"
#include "services/search/highlight.h"
#include "services/search/match.h"
#include "services/search/rank.h"
#include "services/search/store.h"
#include "services/search/windows.h"

enum { NEWEST = TERMS_RANKED, MOST_ENGAGED = 150, FOLLOWED_MAX = 5000, BOOKMARKS_MAX = 5000, RANK_ON_MS = 50 };

static int64_t deadline_ms;

struct finding {
        struct search *search;
        struct candidates_asked asked;
        int64_t until_us;      /* when to stop ranking what was read; 0: never */
        struct ranked *ranked; /* by relevance: all of them, best first */
        size_t n;
        int64_t order_until_us; /* by time and by engagement: when to stop reading */
        struct ranked *shown;   /* those fetched for the items that are shown */
        size_t n_shown, room;
};

void find_start(const struct settings *settings)
{
        deadline_ms = settings->search_deadline_ms;
}

static sn_status load_followed(struct rpc_call *c, struct finding *f)
{
        Follow__ListFollowedSinceRequest in = FOLLOW__LIST_FOLLOWED_SINCE_REQUEST__INIT;
        Follow__FollowedMembers out = FOLLOW__FOLLOWED_MEMBERS__INIT;

        if (c->actor[0] == '\0') {
                return SN_OK;
        }
        in.user_id = (char *)c->actor;
        in.limit = FOLLOWED_MAX;
        TRY(follow_list_followed_since(c, &in, &out));
        f->asked.followed = out.ids;
        f->asked.n_followed = out.n_ids;
        return SN_OK;
}

static sn_status load_bookmarked(struct rpc_call *c, struct finding *f)
{
        Note__ListBookmarkedIdsRequest in = NOTE__LIST_BOOKMARKED_IDS_REQUEST__INIT;
        Note__BookmarkedIds out = NOTE__BOOKMARKED_IDS__INIT;

        if (!f->search->terms.only_bookmarked) {
                return SN_OK;
        }
        in.user_id = (char *)c->actor;
        in.limit = BOOKMARKS_MAX;
        TRY(note_list_bookmarked_ids(c, &in, &out));
        f->asked.only = ARENA_ARRAY(c->arena, char *, out.n_ids + 1); /* not NULL, even if empty */
        memcpy(f->asked.only, out.ids, out.n_ids * sizeof(*out.ids));
        f->asked.n_only = out.n_ids;
        return SN_OK;
}

static bool is_by_relevance(const struct finding *f)
{
        Search__SearchSort sort = f->search->in->sort;

        return sort != SEARCH__SEARCH_SORT__SEARCH_SORT_NEWEST && sort != SEARCH__SEARCH_SORT__SEARCH_SORT_ENGAGED;
}

static bool is_followed(const struct finding *f, const char *author)
{
        for (size_t i = 0; i < f->asked.n_followed; i++) {
                if (strcmp(f->asked.followed[i], author) == 0) {
                        return true;
                }
        }
        return false;
}

static void ask_for(struct candidates_asked *asked, const struct terms_query *query)
{
        asked->query = query->index;
        asked->rest = query->whole ? NULL : query->text;
        asked->few = query->few;
}

static void prepare_search(struct rpc_call *c, struct finding *f)
{
        const struct terms *terms = &f->search->terms;

        ask_for(&f->asked, &terms->query);
        f->asked.viewer = c->actor;
        f->asked.only_followed = terms->only_followed;
        f->asked.above = terms->above;
        f->asked.before = terms->below;
        f->asked.below = "";
        f->asked.min_likes = terms->min_likes;
}

static struct ranked rank_candidates(struct rpc_call *c, const struct finding *f, const SearchRows__Candidate *row)
{
        return rank_note(&f->search->terms, row, match_words(c->arena, &f->search->terms, &row->words),
                         is_followed(f, row->author_id));
}

/* ---- By relevance ---- */

static int compare(const void *a, const void *b)
{
        const struct ranked *x = a, *y = b;

        if (x->score != y->score) {
                return x->score < y->score ? 1 : -1;
        }
        return -strcmp(x->id, y->id); /* newest first */
}

static sn_status append_ranked(struct rpc_call *c, struct finding *f, SearchRows__Candidate *const *rows, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (f->until_us > 0 && clock_monotonic_us() >= f->until_us) {
                        return SN_DEADLINE_EXCEEDED;
                }
                f->ranked[f->n++] = rank_candidates(c, f, rows[i]);
        }
        return SN_OK;
}

static void drop_doubles(struct finding *f)
{
        size_t n = 0;

        qsort(f->ranked, f->n, sizeof(*f->ranked), compare);
        for (size_t i = 0; i < f->n; i++) {
                if (n == 0 || strcmp(f->ranked[n - 1].id, f->ranked[i].id) != 0) {
                        f->ranked[n++] = f->ranked[i];
                }
        }
        f->n = n;
}

/* *all: there are no other matches. */
static sn_status rank_matches(struct rpc_call *c, struct finding *f, const struct terms_query *query, bool *all)
{
        struct candidates_asked asked = f->asked;
        SearchRows__Candidate **rows = NULL;
        size_t n = 0;

        ask_for(&asked, query);
        asked.room = NEWEST;
        asked.enough = NEWEST / 2;
        sn_status status = windows_read_newest(c, &f->search->terms, query, &asked, &n, &rows, all);
        TRY(append_ranked(c, f, rows, n)); /* after a failure, what was read before the deadline */
        TRY(status);
        if (*all) {
                return SN_OK;
        }
        asked.by_engagement = true;
        asked.most_engaged = INT64_MAX;
        asked.room = MOST_ENGAGED;
        asked.enough = MOST_ENGAGED / 2;
        TRY(windows_read_engaged(c, &f->search->terms, query, &asked, true, &n, &rows));
        return append_ranked(c, f, rows, n);
}

/* Exact matches rank first, so others are read only if there are few exact ones. */
static sn_status rank_by_exactness(struct rpc_call *c, struct finding *f)
{
        const struct terms *terms = &f->search->terms;
        struct terms_query others = terms->query;
        bool all = true;

        if (terms->as_typed.text != NULL) {
                TRY(rank_matches(c, f, &terms->as_typed, &all));
                /* the number of exact matches is known now; expect the others to be as many more or fewer */
                others.share *= fmin(1, (double)(f->n + 1) / (terms->as_typed.share * terms->n_notes + 1));
        }
        return all ? rank_matches(c, f, &others, &all) : SN_OK;
}

/* If the ranking deadline passes while waiting for a database connection, the status is SN_UNAVAILABLE. */
static bool ran_out_of_time(const struct rpc_call *c, sn_status status)
{
        return status == SN_DEADLINE_EXCEEDED || (status == SN_UNAVAILABLE && clock_monotonic_us() >= c->deadline_us);
}

/* Ranking has its own deadline; what was found by then is shown. What was read by then is ranked for a little longer,
 * since otherwise there might be nothing to show. */
static sn_status rank_all(struct rpc_call *c, struct finding *f)
{
        int64_t whole_us = c->deadline_us, left_ms = rpc_call_left_ms(c);

        f->ranked = ARENA_ARRAY(c->arena, struct ranked, 2 * NEWEST + MOST_ENGAGED);
        if (left_ms > deadline_ms) {
                c->deadline_us -= (left_ms - deadline_ms) * 1000;
        }
        f->until_us = c->deadline_us + RANK_ON_MS * 1000;
        sn_status status = rank_by_exactness(c, f);
        f->search->partial = ran_out_of_time(c, status);
        c->deadline_us = whole_us;
        drop_doubles(f);
        f->n = f->n < NEWEST + MOST_ENGAGED ? f->n : NEWEST + MOST_ENGAGED;
        return f->search->partial ? SN_OK : status;
}

/* After the item with this ID, since scores change with the counts of words between two pages; after its score if it is
 * not among the matches any more. */
static size_t place_after(const struct finding *f, const struct position *beyond)
{
        struct ranked last = {.id = beyond->id, .score = beyond->sort_key};
        size_t at = 0;

        for (size_t i = 0; i < f->n; i++) {
                if (strcmp(f->ranked[i].id, beyond->id) == 0) {
                        return i + 1;
                }
        }
        while (at < f->n && compare(&f->ranked[at], &last) <= 0) {
                at++;
        }
        return at;
}

static void fetch_ranked(const struct finding *f, const struct page_scan *scan, struct page_refs *out)
{
        size_t at = scan->beyond.id[0] != '\0' ? place_after(f, &scan->beyond) : 0;

        for (; at < f->n && out->n < scan->limit; at++) {
                struct page_ref *ref = &out->items[out->n++];

                *ref = (struct page_ref){.at.sort_key = f->ranked[at].score};
                memcpy(ref->at.id, f->ranked[at].id, UUID_SIZE);
        }
}

/* ---- By time and by engagement ---- */

/* Until the deadline of the whole search: then what was found by then is the last page, and it is partial. Otherwise
 * notes that have none of what is asked would be compared for as long as the call may take. */
static sn_status read_in_order(struct rpc_call *c, struct finding *f, const struct candidates_asked *asked, size_t *n,
                               SearchRows__Candidate ***rows, bool *late)
{
        const struct terms *terms = &f->search->terms;
        int64_t whole_us = c->deadline_us;
        bool all = false;

        *n = 0;
        c->deadline_us = f->order_until_us < whole_us ? f->order_until_us : whole_us;

        sn_status status = asked->by_engagement ? windows_read_engaged(c, terms, &terms->query, asked, false, n, rows)
                                                : windows_read_newest(c, terms, &terms->query, asked, n, rows, &all);

        *late = ran_out_of_time(c, status);
        c->deadline_us = whole_us;
        f->search->partial = f->search->partial || *late;
        return *late ? SN_OK : status;
}

static sn_status fetch_in_order(struct rpc_call *c, struct finding *f, const struct page_scan *scan,
                                struct page_refs *out)
{
        bool engaged = f->search->in->sort == SEARCH__SEARCH_SORT__SEARCH_SORT_ENGAGED;
        SearchRows__Candidate **rows = NULL;
        struct candidates_asked asked = f->asked;
        bool late;

        asked.room = scan->limit;
        asked.by_engagement = engaged;
        asked.most_engaged = INT64_MAX;
        if (scan->beyond.id[0] != '\0') {
                asked.below = scan->beyond.id;
                asked.most_engaged = scan->beyond.sort_key;
        }
        TRY(read_in_order(c, f, &asked, &out->n, &rows, &late));
        out->more = !late && windows_are_cut(rows, out->n);
        f->ranked = ARENA_ARRAY(c->arena, struct ranked, out->n);
        f->n = out->n;
        for (size_t i = 0; i < out->n; i++) {
                f->ranked[i] = rank_candidates(c, f, rows[i]);
                out->items[i] = (struct page_ref){.at.sort_key = engaged ? rows[i]->engagement : 0};
                memcpy(out->items[i].at.id, rows[i]->note_id, UUID_SIZE);
        }
        return SN_OK;
}

static sn_status fetch(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        struct finding *f = context;

        out->items = ARENA_ARRAY(c->arena, struct page_ref, scan->limit);
        if (!is_by_relevance(f)) {
                return fetch_in_order(c, f, scan, out);
        }
        fetch_ranked(f, scan, out);
        return SN_OK;
}

/* ---- Showing ---- */

static const struct ranked *ranked_of(const struct ranked *ranked, size_t n, const char *id)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(ranked[i].id, id) == 0) {
                        return &ranked[i];
                }
        }
        return NULL;
}

/* Drops notes that were edited since: they must not be found by their old words, and will be found by the new ones once
 * the event is handled. */
static void keep_unchanged(const struct ranked *ranked, size_t n_ranked, Note__Notes *notes)
{
        size_t n = 0;

        for (size_t i = 0; i < notes->n_items; i++) {
                const struct ranked *r = ranked_of(ranked, n_ranked, notes->items[i]->id);

                if (r != NULL && r->edited_ms == rank_time_ms(notes->items[i]->edited_at)) {
                        notes->items[n++] = notes->items[i];
                }
        }
        notes->n_items = n;
}

sn_status find_show(struct rpc_call *c, const struct ranked *ranked, size_t n_ranked, char **ids, size_t n,
                    Note__Notes *out)
{
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;

        in.viewer_id = (char *)c->actor;
        in.hide_muted = true;
        in.ids = ids;
        in.n_ids = n;
        TRY(note_batch_get(c, &in, out));
        keep_unchanged(ranked, n_ranked, out);
        return SN_OK;
}

static sn_status show_notes(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                            ProtobufCMessage ***items)
{
        struct finding *f = context;
        Note__Notes out = NOTE__NOTES__INIT;

        TRY(find_show(c, f->ranked, f->n, ids, n, &out));
        for (size_t i = 0; i < out.n_items && f->n_shown < f->room; i++) {
                f->shown[f->n_shown++] = *ranked_of(f->ranked, f->n, out.items[i]->id);
        }
        *n_items = out.n_items;
        *items = (ProtobufCMessage **)out.items;
        return SN_OK;
}

static void append_note(struct rpc_call *c, struct finding *f, Note__Note *note, Search__SearchPage *out)
{
        const struct ranked *ranked = ranked_of(f->shown, f->n_shown, note->id);
        Search__Found *found = find_append(c, out, SEARCH__FOUND_TYPE__FOUND_TYPE_NOTE);

        found->item_case = SEARCH__FOUND__ITEM_NOTE;
        found->note = note;
        found->score = ranked->score;
        for (int i = 0; f->search->in->explain && i < RANK_PARTS; i++) {
                find_explain(c, found, rank_part_name(i), "", ranked->parts[i]);
        }
}

/* Exact matches rank first: if the first page has none, no other page has. */
static void suggest_correction(struct rpc_call *c, const struct finding *f, const struct page *page,
                               Search__SearchPage *out)
{
        const struct ranked **shown = ARENA_ARRAY(c->arena, const struct ranked *, page->n);

        if (!is_by_relevance(f) || f->search->in->cursor[0] != '\0') {
                return;
        }
        for (size_t i = 0; i < page->n; i++) {
                shown[i] = ranked_of(f->shown, f->n_shown, ((Note__Note *)page->items[i])->id);
        }
        out->corrected = (char *)find_corrected(c->arena, f->search, shown, page->n);
}

sn_status find_notes(struct rpc_call *c, struct search *search, Search__SearchPage *out)
{
        struct finding f = {.search = search, .room = page_limit(search->in->limit) + 1};
        struct page_source source = {.filter = search->filter, .fetch = fetch, .show = show_notes, .context = &f};
        struct page_asked asked = {.position = search->in->cursor, .limit = search->in->limit};
        struct page page;

        TRY(load_followed(c, &f));
        TRY(load_bookmarked(c, &f));
        prepare_search(c, &f);
        f.shown = ARENA_ARRAY(c->arena, struct ranked, f.room);
        f.order_until_us = clock_monotonic_us() + deadline_ms * 1000;
        if (is_by_relevance(&f) || search->in->n_facets > 0) { /* before making the page, which frees the rest */
                TRY(rank_all(c, &f));
        }
        TRY(search->in->n_facets > 0 ? facets_count(c, search, f.ranked, f.n, out) : SN_OK);
        TRY(page_read(c, &source, &asked, &page));
        for (size_t i = 0; i < page.n; i++) {
                append_note(c, &f, (Note__Note *)page.items[i], out);
        }
        suggest_correction(c, &f, &page, out);
        out->next_cursor = page.next_cursor;
        if (search->in->highlight) {
                highlight_notes(c, &search->terms, out);
        }
        return SN_OK;
}

sn_status find_whether(struct rpc_call *c, struct search *search, const char *id, bool *found)
{
        struct finding f = {.search = search};
        struct ranked ranked[1];
        SearchRows__Candidate **rows = NULL;
        size_t n = 0;
        Note__Notes notes = NOTE__NOTES__INIT;
        char *ids[] = {(char *)id};

        f.ranked = ranked;
        TRY(load_followed(c, &f));
        TRY(load_bookmarked(c, &f));
        prepare_search(c, &f);
        *found = false;
        for (size_t i = 0; i < f.asked.n_only && !*found; i++) {
                *found = uuid_equal(f.asked.only[i], id);
        }
        if (f.asked.only != NULL && !*found) {
                return SN_OK;
        }
        f.asked.only = ids;
        f.asked.n_only = f.asked.room = 1;
        TRY(DB_READ(c, tx, store_candidates(tx, &f.asked, &n, &rows)));
        TRY(append_ranked(c, &f, rows, n));
        TRY(f.n > 0 ? find_show(c, f.ranked, f.n, ids, 1, &notes) : SN_OK);
        *found = notes.n_items > 0;
        return SN_OK;
}
