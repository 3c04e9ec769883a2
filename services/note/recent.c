/* Owns the memo of each author's newest note ids, by audience. */
#include "services/note/recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cache/memo.h"
#include "services/note/store.h"

#define RECENT_MAX 100

static struct memo *lists;

/* Of one author, as one audience sees them. */
struct recent {
        struct memo_object object;
        bool complete; /* the author has no older ones */
        size_t n;
        struct {
                char id[UUID_SIZE], renoted_author[UUID_SIZE];
        } notes[]; /* newest first */
};

sn_status recent_start(size_t max_bytes)
{
        lists = memo_new("recent_notes", max_bytes);
        return lists != NULL ? SN_OK : SN_INTERNAL;
}

void recent_stop(void)
{
        memo_free(lists);
        lists = NULL;
}

static void free_recent(struct memo_object *object)
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
        r->object = (struct memo_object){.references = 1, .bytes = bytes, .free = free_recent};
        r->complete = n < RECENT_MAX;
        r->n = n;
        for (size_t i = 0; i < n; i++) {
                (void)snprintf(r->notes[i].id, UUID_SIZE, "%s", refs[i]->id);
                (void)snprintf(r->notes[i].renoted_author, UUID_SIZE, "%s", refs[i]->renoted_author_id);
        }
        return r;
}

/* How many stand above a position, which may itself be one of them. */
static size_t count_above(const struct recent *r, const char *id)
{
        size_t n = 0;

        while (n < r->n && strcmp(r->notes[n].id, id) > 0) {
                n++;
        }
        return n;
}

static void copy(struct rpc_call *c, struct recent *r, char *author, size_t from, bool newer, size_t n,
                 Note__NoteRef ***refs)
{
        Note__NoteRef *all = ARENA_ARRAY(c->arena, Note__NoteRef, n);

        *refs = ARENA_ARRAY(c->arena, Note__NoteRef *, n);
        for (size_t i = 0; i < n; i++) {
                size_t at = newer ? from - i : from + i;

                note__note_ref__init(&all[i]);
                all[i].id = r->notes[at].id;
                all[i].author_id = author;
                all[i].renoted_author_id = r->notes[at].renoted_author;
                (*refs)[i] = &all[i];
        }
}

/* Copies what stands beyond the position; false when the list does not reach so far. */
static bool take(struct rpc_call *c, struct recent *r, char *author, const struct page_scan *scan, size_t *n,
                 Note__NoteRef ***refs)
{
        const char *id = scan->beyond.id;
        size_t above = id[0] == '\0' && !scan->newer ? 0 : count_above(r, id);
        size_t below = above < r->n && strcmp(r->notes[above].id, id) == 0 ? above + 1 : above;
        size_t there = scan->newer ? above : r->n - below;

        *n = there < scan->limit ? there : scan->limit;
        if (!r->complete && (scan->newer ? above == r->n : *n < scan->limit)) {
                return false;
        }
        copy(c, r, author, scan->newer && above > 0 ? above - 1 : below, scan->newer, *n, refs);
        return true;
}

/* ---- What is asked ---- */

#define KEY_BYTES 17

/* An audience's list does not change, and is not dropped, when something is written that it may not see: not even by
 * its time it tells of that. */
static bool put_key(const char *author, int seen_as, uint8_t key[KEY_BYTES])
{
        key[KEY_BYTES - 1] = (uint8_t)seen_as;
        return uuid_to_bytes(author, key);
}

static sn_status load(struct rpc_call *c, char *author, int seen_as, const uint8_t key[KEY_BYTES], uint64_t ticket,
                      struct recent **list)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Note__NoteRef **refs = NULL;
        size_t n = 0;

        TRY(db_read(c, &tx));
        TRY(store_ids_by_authors(tx, &author, 1, seen_as, &(struct page_scan){.limit = RECENT_MAX}, &n, &refs));
        *list = recent_new(refs, n);
        if (*list == NULL) {
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory; try again later");
        }
        memo_put(lists, key, KEY_BYTES, ticket, *list);
        memo_keep(c->arena, *list);
        return SN_OK;
}

sn_status recent_list(struct rpc_call *c, char *author, int seen_as, const struct page_scan *scan, size_t *n,
                      Note__NoteRef ***refs)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct recent *list = NULL;
        uint8_t key[KEY_BYTES];
        uint64_t ticket = 0;

        (void)put_key(author, seen_as, key);
        list = memo_get(lists, c->arena, key, sizeof(key), &ticket);
        if (list == NULL) {
                TRY(load(c, author, seen_as, key, ticket, &list));
        }
        if (take(c, list, author, scan, n, refs)) {
                return SN_OK;
        }
        TRY(db_read(c, &tx));
        return store_ids_by_authors(tx, &author, 1, seen_as, scan, n, refs);
}

static void drop(void *key)
{
        memo_drop(lists, key, KEY_BYTES);
}

void recent_changed(struct db_tx *tx, const char *author, int visibility)
{
        for (int seen_as = visibility; seen_as <= NOTE__VISIBILITY__VISIBILITY_ONLY_ME; seen_as++) {
                uint8_t *key = arena_alloc(db_arena(tx), KEY_BYTES);

                if (put_key(author, seen_as, key)) {
                        db_on_end(tx, drop, key);
                }
        }
}
