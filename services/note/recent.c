/* Owns the cache of each author's newest note IDs, by audience. */
#include "services/note/recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cache/cache.h"
#include "services/note/store.h"

#define RECENT_MAX 100

/* The list of one author for one audience. */
struct recent {
        struct cache_object object;
        bool complete; /* the author has no older notes */
        size_t n;
        struct {
                char id[UUID_SIZE], renoted_author[UUID_SIZE];
        } notes[]; /* newest first */
};

static void free_recent(struct cache_object *object)
{
        free(object);
}

static struct recent *recent_new(Note__NoteRef *const *refs, size_t n)
{
        size_t bytes = sizeof(struct recent) + n * sizeof(((struct recent *)NULL)->notes[0]);
        struct recent *r = calloc(1, bytes);

        if (r == NULL) {
                return NULL;
        }
        r->object = (struct cache_object){.references = 1, .bytes = bytes, .free = free_recent};
        r->complete = n < RECENT_MAX;
        r->n = n;
        for (size_t i = 0; i < n; i++) {
                (void)snprintf(r->notes[i].id, UUID_SIZE, "%s", refs[i]->id);
                (void)snprintf(r->notes[i].renoted_author, UUID_SIZE, "%s", refs[i]->renoted_author_id);
        }
        return r;
}

static sn_status fill_recent(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct page_scan newest = {.limit = RECENT_MAX};
                char *author = (char *)missing[i]->key.id;
                Note__NoteRef **refs = NULL;
                size_t n_refs = 0;

                TRY(DB_READ(c, tx,
                            store_ids_by_authors(tx, &author, 1, (int)missing[i]->key.kind, &newest, &n_refs, &refs)));
                missing[i]->value.object = recent_new(refs, n_refs);
                if (missing[i]->value.object == NULL) {
                        return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory; try again later");
                }
        }
        return SN_OK;
}

static struct cache lists = {.name = "recent_notes", .fill = fill_recent};

sn_status recent_start(size_t max_bytes)
{
        return cache_start(&lists, max_bytes);
}

void recent_stop(void)
{
        cache_stop(&lists);
}

/* How many are newer than a position, which may itself be in the list. */
static size_t count_above(const struct recent *r, const char *id)
{
        size_t n = 0;

        while (n < r->n && strcmp(r->notes[n].id, id) > 0) {
                n++;
        }
        return n;
}

/* The notes of all authors in one read. */
struct gathered {
        size_t n;
        Note__NoteRef **refs;
};

static void copy_refs(struct rpc_call *c, struct recent *r, char *author, size_t from, bool newer, size_t n,
                      struct gathered *out)
{
        Note__NoteRef *all = ARENA_ARRAY(c->arena, Note__NoteRef, n);

        for (size_t i = 0; i < n; i++) {
                size_t at = newer ? from - i : from + i;

                note__note_ref__init(&all[i]);
                all[i].id = r->notes[at].id;
                all[i].author_id = author;
                all[i].renoted_author_id = r->notes[at].renoted_author;
                out->refs[out->n++] = &all[i];
        }
}

/* Copies what is beyond the position; false if the list does not go back that far. */
static bool copy_page(struct rpc_call *c, struct recent *r, char *author, const struct page_scan *scan,
                      struct gathered *out)
{
        const char *id = scan->beyond.id;
        size_t above = id[0] == '\0' && !scan->newer ? 0 : count_above(r, id);
        size_t below = above < r->n && strcmp(r->notes[above].id, id) == 0 ? above + 1 : above;
        size_t there = scan->newer ? above : r->n - below;
        size_t n = there < scan->limit ? there : scan->limit;

        if (!r->complete && (scan->newer ? above == r->n : n < scan->limit)) {
                return false;
        }
        copy_refs(c, r, author, scan->newer && above > 0 ? above - 1 : below, scan->newer, n, out);
        return true;
}

/* ---- Reading ---- */

/* One list per audience, so that a note does not invalidate or slow down lists in which it is not visible. */
static struct cache_key key_of(const char *author, int seen_as)
{
        return (struct cache_key){.id = author, .kind = (uint64_t)seen_as};
}

static int compare_refs(const void *a, const void *b)
{
        return strcmp((*(Note__NoteRef *const *)a)->id, (*(Note__NoteRef *const *)b)->id);
}

static int compare_refs_down(const void *a, const void *b)
{
        return compare_refs(b, a);
}

/* Authors whose lists do not go back far enough for the scan, in one query. */
static sn_status read_beyond(struct rpc_call *c, char **authors, size_t n_authors, int seen_as,
                             const struct page_scan *scan, struct gathered *out)
{
        Note__NoteRef **refs = NULL;
        size_t n = 0;

        if (n_authors == 0) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, store_ids_by_authors(tx, authors, n_authors, seen_as, scan, &n, &refs)));
        for (size_t i = 0; i < n; i++) {
                out->refs[out->n++] = refs[i];
        }
        return SN_OK;
}

static sn_status gather_recent(struct rpc_call *c, char **authors, size_t n_authors, int seen_as,
                               const struct page_scan *scan, struct gathered *out)
{
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, n_authors);
        char **beyond = ARENA_ARRAY(c->arena, char *, n_authors);
        size_t n_beyond = 0;

        for (size_t i = 0; i < n_authors; i++) {
                items[i].key = key_of(authors[i], seen_as);
        }
        TRY(cache_get(c, &lists, READ_FROM_ANYWHERE, items, n_authors));
        for (size_t i = 0; i < n_authors; i++) {
                if (items[i].value.object == NULL || !copy_page(c, items[i].value.object, authors[i], scan, out)) {
                        beyond[n_beyond++] = authors[i];
                }
        }
        return read_beyond(c, beyond, n_beyond, seen_as, scan, out);
}

sn_status recent_list(struct rpc_call *c, char **authors, size_t n_authors, int seen_as, const struct page_scan *scan,
                      size_t *n, Note__NoteRef ***refs)
{
        size_t most = n_authors * (scan->limit < RECENT_MAX ? scan->limit : RECENT_MAX) + scan->limit;
        struct gathered all = {.refs = ARENA_ARRAY(c->arena, Note__NoteRef *, most)};

        TRY(gather_recent(c, authors, n_authors, seen_as, scan, &all));
        if (n_authors > 1) {
                qsort(all.refs, all.n, sizeof(all.refs[0]), scan->newer ? compare_refs : compare_refs_down);
        }
        *n = all.n < scan->limit ? all.n : scan->limit;
        *refs = all.refs;
        return SN_OK;
}

void recent_changed(struct db_tx *tx, const char *author, int visibility)
{
        for (int seen_as = visibility; seen_as <= NOTE__VISIBILITY__VISIBILITY_ONLY_ME; seen_as++) {
                cache_changed(&lists, tx, key_of(author, seen_as));
        }
}

/* NULL: it is in the list already, or older than all of it. */
static struct cache_object *add_note(const void *object, const void *id)
{
        const struct recent *before = object;
        size_t at = count_above(before, id);
        size_t n = before->n < RECENT_MAX ? before->n + 1 : RECENT_MAX;
        size_t bytes = sizeof(struct recent) + n * sizeof(before->notes[0]);

        if (at == RECENT_MAX || (at < before->n && strcmp(before->notes[at].id, id) == 0)) {
                return NULL;
        }
        struct recent *r = calloc(1, bytes);
        if (r == NULL) {
                return NULL;
        }
        r->object = (struct cache_object){.references = 1, .bytes = bytes, .free = free_recent};
        r->complete = before->complete && before->n < RECENT_MAX;
        r->n = n;
        memcpy(r->notes, before->notes, at * sizeof(r->notes[0]));
        (void)snprintf(r->notes[at].id, UUID_SIZE, "%s", (const char *)id);
        memcpy(r->notes + at + 1, before->notes + at, (n - at - 1) * sizeof(r->notes[0]));
        return &r->object;
}

void recent_added(struct db_tx *tx, const char *author, int visibility, const char *id)
{
        for (int seen_as = visibility; seen_as <= NOTE__VISIBILITY__VISIBILITY_ONLY_ME; seen_as++) {
                cache_updated(&lists, tx, key_of(author, seen_as), add_note, id);
        }
}
