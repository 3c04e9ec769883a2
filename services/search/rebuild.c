/* Owns the rebuild, in batches of notes or members. A change between reading and indexing may have had its event
 * handled in between, and would stay outdated, so everything is read again after it was written. A note deleted by then
 * is removed; members are written until they no longer change. */
#include "services/search/rebuild.h"

#include <string.h>
#include "services/jobs.h"
#include "services/note/note.rpc.h"
#include "services/search/indexing.h"
#include "services/search/search.h"
#include "services/search/store.h"
#include "services/search/store_rebuild.h"
#include "services/user/user.rpc.h"

enum { AT_ONCE = 50 }; /* the words of so many long notes fit into the memory of one call */

static char **ids_of(struct rpc_call *c, const Note__IndexedNotes *notes)
{
        char **ids = ARENA_ARRAY(c->arena, char *, notes->n_items);

        for (size_t i = 0; i < notes->n_items; i++) {
                ids[i] = notes->items[i]->note->id;
        }
        return ids;
}

static sn_status write_notes(struct rpc_call *c, const SearchRows__Rebuild *from, const Note__IndexedNotes *notes)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct indexed_note *rows = indexing_analyse(c->arena, notes);

        TRY(db_begin(c, &tx));
        TRY(store_index_notes(tx, rows, notes->n_items));
        TRY(store_delete_stray_notes(tx, from->after_id, notes->last_id, ids_of(c, notes), notes->n_items));
        return db_commit(c, NULL, &tx);
}

static sn_status settle_members(struct db_tx *tx, char **gone, size_t n_gone, const Note__IndexedNotes *still)
{
        for (size_t i = 0; i < still->n_items; i++) {
                TRY(store_count_note(tx, still->items[i]->note->id, still->items[i]->note->counts));
        }
        return store_unindex_notes(tx, gone, n_gone);
}

/* Applies deletions and likes since the notes were read. */
static sn_status check_again(struct rpc_call *c, const Note__IndexedNotes *notes)
{
        Note__BatchGetIndexedRequest in = NOTE__BATCH_GET_INDEXED_REQUEST__INIT;
        Note__IndexedNotes still = NOTE__INDEXED_NOTES__INIT;
        size_t n = 0;

        in.ids = ids_of(c, notes);
        in.n_ids = notes->n_items;
        TRY(note_batch_get_indexed(c, &in, &still));
        char **gone = indexing_missing(c->arena, in.ids, in.n_ids, &still, &n);
        return DB_WRITE(c, tx, settle_members(tx, gone, n, &still));
}

static sn_status check_notes(struct rpc_call *c, const SearchRows__Rebuild *from)
{
        Note__ListIndexedRequest in = NOTE__LIST_INDEXED_REQUEST__INIT;
        Note__IndexedNotes notes = NOTE__INDEXED_NOTES__INIT;

        in.after_id = from->after_id;
        in.limit = AT_ONCE;
        TRY(note_list_indexed(c, &in, &notes));

        struct arena_mark mark = arena_mark(c->arena);

        TRY(write_notes(c, from, &notes));
        arena_reset(c->arena, mark); /* the words of long notes take most of the memory that a call may use */
        TRY(check_again(c, &notes));
        return DB_WRITE(c, tx, store_advance_rebuild(tx, from, notes.last_id, notes.n_items));
}

/* Lists members from user_service, and those of the index that it does not have. */
static sn_status list_members(struct rpc_call *c, const SearchRows__Rebuild *from, User__IndexedUsers *listed,
                              User__BatchGetIndexedRequest *out, size_t *n_stray)
{
        User__ListIndexedRequest in = USER__LIST_INDEXED_REQUEST__INIT;
        SearchRows__MemberId **stray = NULL;

        in.after_id = from->after_id;
        in.limit = AT_ONCE;
        TRY(user_list_indexed(c, &in, listed));
        out->ids = ARENA_ARRAY(c->arena, char *, 2 * AT_ONCE);
        for (size_t i = 0; i < listed->n_items; i++) {
                out->ids[out->n_ids++] = listed->items[i]->id;
        }
        TRY(DB_READ(
            c, tx,
            store_stray_members(tx, from->after_id, listed->last_id, out->ids, out->n_ids, AT_ONCE, n_stray, &stray)));
        for (size_t i = 0; i < *n_stray; i++) {
                out->ids[out->n_ids++] = stray[i]->user_id;
        }
        return SN_OK;
}

static sn_status write_members(struct db_tx *tx, char **ids, size_t n, const User__IndexedUsers *users)
{
        for (size_t i = 0; i < n; i++) {
                const User__IndexedUser *user = indexing_find_member(users, ids[i]);

                TRY(user != NULL ? indexing_member(tx, user) : store_hide_member(tx, ids[i]));
        }
        return SN_OK;
}

static bool is_same(const User__IndexedUsers *a, const User__IndexedUsers *b)
{
        for (size_t i = 0; i < a->n_items; i++) {
                const User__IndexedUser *x = a->items[i], *y = indexing_find_member(b, x->id);

                if (y == NULL || strcmp(x->username, y->username) != 0 ||
                    strcmp(x->display_name, y->display_name) != 0 || x->discoverable != y->discoverable ||
                    x->searchable != y->searchable || x->search_history != y->search_history) {
                        return false;
                }
        }
        return a->n_items == b->n_items;
}

static sn_status check_members(struct rpc_call *c, const SearchRows__Rebuild *from)
{
        User__BatchGetIndexedRequest in = USER__BATCH_GET_INDEXED_REQUEST__INIT;
        User__IndexedUsers listed = USER__INDEXED_USERS__INIT, written, now = USER__INDEXED_USERS__INIT;
        size_t n_stray = 0;

        TRY(list_members(c, from, &listed, &in, &n_stray));
        TRY(user_batch_get_indexed(c, &in, &now));
        do {
                written = now;
                TRY(DB_WRITE(c, tx, write_members(tx, in.ids, in.n_ids, &written)));
                user__indexed_users__init(&now);
                TRY(user_batch_get_indexed(c, &in, &now));
        } while (!is_same(&written, &now));
        return n_stray < AT_ONCE ? DB_WRITE(c, tx, store_advance_rebuild(tx, from, listed.last_id, listed.n_items))
                                 : SN_OK; /* there may be more */
}

/* Members come first, since notes depend on who does not want to be found. */
static sn_status rebuild_some(struct rpc_call *c, bool *more)
{
        SearchRows__Rebuild **rows = NULL;
        size_t n = 0;

        TRY(DB_WRITE(c, tx, store_ask_pairs(tx)));
        TRY(DB_READ(c, tx, rebuild_progress(tx, &n, &rows)));
        for (size_t i = 0; i < n && !*more; i++) {
                if (!rows[i]->done) {
                        *more = true;
                        TRY(strcmp(rows[i]->kind, "notes") == 0 ? check_notes(c, rows[i]) : check_members(c, rows[i]));
                }
        }
        return SN_OK;
}

const struct service_job search_rebuild = {.name = "rebuild", .every_s = 5, .run = rebuild_some};
