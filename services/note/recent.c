/* Owns the memo of each author's newest note ids. */
#include "services/note/recent.h"

#include <stdlib.h>
#include <string.h>
#include "cache/memo.h"
#include "services/note/store.h"

#define RECENT_MAX 100

static struct memo *lists;

struct recent {
        struct memo_object object;
        bool complete; /* the author has no older ones */
        size_t n;
        char ids[][UUID_SIZE];
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
        size_t bytes = sizeof(struct recent) + n * UUID_SIZE;
        struct recent *r = calloc(1, bytes);

        if (r == NULL) {
                return NULL;
        }
        r->object = (struct memo_object){.references = 1, .bytes = bytes, .free = free_recent};
        r->complete = n < RECENT_MAX;
        r->n = n;
        for (size_t i = 0; i < n; i++) {
                memcpy(r->ids[i], refs[i]->id, UUID_SIZE);
        }
        return r;
}

/* Copies what stands below before_id; false when the page may go on past what the list holds. */
static bool take(struct rpc_call *c, struct recent *r, char *author, const char *before_id, size_t limit, size_t *n,
                 Note__NoteRef ***refs)
{
        Note__NoteRef *all = NULL;
        size_t from = 0;

        while (from < r->n && before_id[0] != '\0' && strcmp(r->ids[from], before_id) >= 0) {
                from++;
        }
        *n = r->n - from < limit ? r->n - from : limit;
        if (*n < limit && !r->complete) {
                return false;
        }
        all = ARENA_ARRAY(c->arena, Note__NoteRef, *n);
        *refs = ARENA_ARRAY(c->arena, Note__NoteRef *, *n);
        for (size_t i = 0; i < *n; i++) {
                note__note_ref__init(&all[i]);
                all[i].id = r->ids[from + i];
                all[i].author_id = author;
                (*refs)[i] = &all[i];
        }
        return true;
}

static sn_status load(struct rpc_call *c, char *author, const uint8_t key[16], uint64_t ticket, struct recent **list)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        Note__NoteRef **refs = NULL;
        size_t n = 0;

        TRY(db_read(c, &tx));
        TRY(store_ids_by_authors(tx, &author, 1, "", RECENT_MAX, &n, &refs));
        *list = recent_new(refs, n);
        if (*list == NULL) {
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory; try again later");
        }
        memo_put(lists, key, 16, ticket, *list);
        memo_keep(c->arena, *list);
        return SN_OK;
}

sn_status recent_list(struct rpc_call *c, char *author, const char *before_id, size_t limit, size_t *n,
                      Note__NoteRef ***refs)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        struct recent *list = NULL;
        uint64_t ticket = 0;
        uint8_t key[16];

        uuid_to_bytes(author, key);
        list = memo_get(lists, c->arena, key, sizeof(key), &ticket);
        if (list == NULL) {
                TRY(load(c, author, key, ticket, &list));
        }
        if (take(c, list, author, before_id, limit, n, refs)) {
                return SN_OK;
        }
        TRY(db_read(c, &tx));
        return store_ids_by_authors(tx, &author, 1, before_id, limit, n, refs);
}

static void drop(void *context)
{
        memo_drop(lists, context, 16);
}

void recent_changed(struct db_tx *tx, const char *author)
{
        uint8_t *key = arena_alloc(db_arena(tx), 16);

        if (uuid_to_bytes(author, key)) {
                db_on_end(tx, drop, key);
        }
}
