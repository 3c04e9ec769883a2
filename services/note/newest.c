/* Owns an upper bound of each author's note IDs, by audience: uuid_start of the newest one, whether or not it still
 * exists. A page needs only those authors whose bound is beyond its last note; all others are not asked for. */
#include "services/note/newest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "cache/cache.h"
#include "services/note/store.h"

#define UNBOUNDED UINT64_MAX /* the author is writing */

/* ---- Bounds ---- */

static sn_status fill_bounds(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        Note__NoteRef **rows = NULL;
        size_t n_rows = 0;
        int seen_as = (int)missing[0]->key.kind; /* the same in a batch */

        TRY(DB_READ(c, tx, store_newest_ids(tx, cache_ids(c->arena, missing, n), n, seen_as, &n_rows, &rows)));
        for (size_t i = 0; i < n_rows; i++) {
                struct cache_item *item =
                    cache_find(missing, n, (struct cache_key){.id = rows[i]->author_id, .kind = (uint64_t)seen_as});
                uint64_t start = uuid_start(rows[i]->id);

                if (item != NULL && start > item->value.number) {
                        item->value.number = start;
                }
        }
        return SN_OK;
}

static struct cache bounds = {.name = "newest_notes", .numbers = true, .fill = fill_bounds};

sn_status newest_start(size_t max_bytes)
{
        return cache_start(&bounds, max_bytes);
}

void newest_stop(void)
{
        cache_stop(&bounds);
}

/* ---- Writers ---- */

/* An author in whose transaction a note is added: between its COMMIT and the end of its hooks memory has an outdated
 * bound, and nobody may rely on it. */
struct writer {
        const char *author;
        int visibility;
        struct writer *next, **link;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct writer *writers;
static size_t n_writers;

static void end_writing(void *context)
{
        struct writer *w = context;

        for (int seen_as = w->visibility; seen_as <= NOTE__VISIBILITY__VISIBILITY_ONLY_ME; seen_as++) {
                cache_drop(&bounds, (struct cache_key){.id = w->author, .kind = (uint64_t)seen_as});
        }
        (void)pthread_mutex_lock(&lock);
        *w->link = w->next;
        if (w->next != NULL) {
                w->next->link = w->link;
        }
        n_writers--;
        (void)pthread_mutex_unlock(&lock);
}

void newest_added(struct db_tx *tx, const char *author, int visibility)
{
        struct writer *w = ARENA_NEW(db_arena(tx), struct writer);

        *w = (struct writer){.author = arena_strdup(db_arena(tx), author), .visibility = visibility, .link = &writers};
        (void)pthread_mutex_lock(&lock);
        w->next = writers;
        if (writers != NULL) {
                writers->link = &w->next;
        }
        writers = w;
        n_writers++;
        (void)pthread_mutex_unlock(&lock);
        db_on_end(tx, end_writing, w);
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Their IDs, ordered. */
static char **list_writers(struct arena *arena, size_t *n)
{
        char **ids;

        *n = 0;
        (void)pthread_mutex_lock(&lock);
        ids = ARENA_ARRAY(arena, char *, n_writers);
        for (const struct writer *w = writers; w != NULL; w = w->next) {
                ids[(*n)++] = arena_strdup(arena, w->author);
        }
        (void)pthread_mutex_unlock(&lock);
        qsort(ids, *n, sizeof(*ids), compare_texts);
        return ids;
}

/* ---- Reading ---- */

struct bounded {
        char *author;
        uint64_t bound;
};

static int compare_bounds_down(const void *a, const void *b)
{
        const struct bounded *x = a, *y = b;

        return (y->bound > x->bound) - (y->bound < x->bound);
}

/* The authors who have notes, those who may have the newest first. Writers are listed before bounds are read: whoever
 * begins to write later is not committed yet. */
static sn_status bound_authors(struct rpc_call *c, char **authors, size_t n, int seen_as, struct bounded **out,
                               size_t *n_out)
{
        size_t n_writing = 0;
        char **writing = list_writers(c->arena, &n_writing);
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, n);

        for (size_t i = 0; i < n; i++) {
                items[i].key = (struct cache_key){.id = authors[i], .kind = (uint64_t)seen_as};
        }
        TRY(cache_get(c, &bounds, READ_FROM_ANYWHERE, items, n));
        *out = ARENA_ARRAY(c->arena, struct bounded, n);
        *n_out = 0;
        for (size_t i = 0; i < n; i++) {
                bool writes = bsearch(&authors[i], writing, n_writing, sizeof(*writing), compare_texts) != NULL;
                uint64_t bound = writes ? UNBOUNDED : items[i].value.number;

                if (bound > 0) {
                        (*out)[(*n_out)++] = (struct bounded){authors[i], bound};
                }
        }
        qsort(*out, *n_out, sizeof(**out), compare_bounds_down);
        return SN_OK;
}

static size_t count_from(const struct bounded *all, size_t n, uint64_t start)
{
        size_t from = 0;

        for (size_t to = n; from < to;) {
                size_t middle = from + (to - from) / 2;

                if (all[middle].bound >= start) {
                        from = middle + 1;
                } else {
                        to = middle;
                }
        }
        return from;
}

/* How many authors to ask for first. Newer notes are only with those whose bound is beyond the position, older ones
 * also with others, of whom the first fill the page if each has a few notes on it. */
static size_t count_first(const struct bounded *all, size_t n, const struct page_scan *scan)
{
        bool from_the_end = scan->beyond.id[0] == '\0';
        size_t above = from_the_end ? 0 : count_from(all, n, uuid_start(scan->beyond.id));
        size_t first = scan->newer ? above : above + 16 + scan->limit / 4;

        return first < n ? first : n;
}

/* How many authors are needed, given what was found among the first of them; not more than that if it is complete. */
static size_t count_needed(const struct bounded *all, size_t n, const struct page_scan *scan, size_t n_refs,
                           Note__NoteRef *const *refs)
{
        if (scan->newer) {
                return 0;
        }
        return n_refs < scan->limit ? n : count_from(all, n, uuid_start(refs[n_refs - 1]->id));
}

sn_status newest_list(struct rpc_call *c, char **authors, size_t n_authors, int seen_as, const struct page_scan *scan,
                      size_t *n, Note__NoteRef ***refs)
{
        struct bounded *all = NULL;
        size_t n_all = 0, asked = 0, needed;

        *n = 0;
        *refs = NULL;
        TRY(bound_authors(c, authors, n_authors, seen_as, &all, &n_all));
        char **ids = ARENA_ARRAY(c->arena, char *, n_all);
        for (size_t i = 0; i < n_all; i++) {
                ids[i] = all[i].author;
        }
        for (needed = count_first(all, n_all, scan); needed > asked;
             needed = count_needed(all, n_all, scan, *n, *refs)) {
                asked = needed;
                TRY(DB_READ(c, tx, store_ids_by_authors(tx, ids, asked, seen_as, scan, n, refs)));
        }
        return SN_OK;
}
