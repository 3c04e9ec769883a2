/* Owns the methods that other services call. */
#include "services/note/note.h"

#include <stdio.h>
#include <string.h>
#include "base/in_flight.h"
#include "services/follow/follow.rpc.h"
#include "services/note/newest.h"
#include "services/note/recent.h"
#include "services/note/renoters.h"
#include "services/note/show.h"
#include "services/note/show_media.h"
#include "services/note/store.h"
#include "services/note/stored.h"
#include "services/note/visibility.h"

sn_status note_handle_batch_get(struct rpc_call *c, const Note__BatchGetRequest *in, Note__Notes *out)
{
        struct reader reader = {.id = in->viewer_id, .hides_muted = in->hide_muted};

        return show_notes(c, &reader, in->ids, in->n_ids, &out->n_items, &out->items);
}

/* The ID of erased members. */
#define NOBODY "00000000-0000-0000-0000-000000000000"

/* A removed comment is visible only to its author. */
static bool is_indexed(const NoteRows__StoredNote *stored)
{
        return stored != NULL && stored->renote_of_id[0] == '\0' && !stored->removed &&
               note_is_for_others((int)stored->note->visibility);
}

/* Stored notes are shared, and hold only the IDs of their media. */
static Note__IndexedNote *indexed_of(struct rpc_call *c, const NoteRows__StoredNote *stored)
{
        Note__IndexedNote *item = ARENA_NEW(c->arena, Note__IndexedNote);

        note__indexed_note__init(item);
        item->note = ARENA_NEW(c->arena, Note__Note);
        *item->note = *stored->note;
        item->audience_owner_id = note_audience_owner(stored);
        item->version = stored->version;
        return item;
}

/* Also for deleted notes, so that nothing changes for their comments; NOBODY for erased members. */
static sn_status add_parent_authors(struct rpc_call *c, Note__IndexedNotes *out)
{
        NoteRows__StoredNote **parents = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, out->n_items);
        Note__IndexedNote **of = ARENA_ARRAY(c->arena, Note__IndexedNote *, out->n_items);
        char **ids = ARENA_ARRAY(c->arena, char *, out->n_items);
        size_t n = 0;

        for (size_t i = 0; i < out->n_items; i++) {
                if (out->items[i]->note->parent_id[0] != '\0') {
                        of[n] = out->items[i];
                        ids[n++] = out->items[i]->note->parent_id;
                }
        }
        TRY(stored_get(c, READ_FROM_ANYWHERE, ids, n, parents));
        TRY(n > 0 ? stored_get_deleted(c, ids, n, parents, NULL) : SN_OK);
        for (size_t i = 0; i < n; i++) {
                char *author = parents[i] != NULL ? parents[i]->note->author->id : (char *)protobuf_c_empty_string;

                of[i]->parent_author_id = strcmp(author, NOBODY) != 0 ? author : (char *)protobuf_c_empty_string;
        }
        return SN_OK;
}

static sn_status show_indexed(struct rpc_call *c, char **ids, size_t n, Note__IndexedNotes *out)
{
        NoteRows__StoredNote **stored = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, n);
        struct shown_media *media = ARENA_ARRAY(c->arena, struct shown_media, n);
        struct shown_media **asked = ARENA_ARRAY(c->arena, struct shown_media *, n);

        TRY(stored_get(c, READ_FROM_ANYWHERE, ids, n, stored));
        out->items = ARENA_ARRAY(c->arena, Note__IndexedNote *, n);
        for (size_t i = 0; i < n; i++) {
                if (is_indexed(stored[i])) {
                        asked[out->n_items] = &media[i];
                        media[i] = (struct shown_media){.stored = stored[i], .viewer = ""};
                        out->items[out->n_items++] = indexed_of(c, stored[i]);
                }
        }
        TRY(add_parent_authors(c, out));
        TRY(show_media(c, asked, out->n_items));
        for (size_t i = 0; i < out->n_items; i++) {
                out->items[i]->note->n_media = asked[i]->n;
                out->items[i]->note->media = asked[i]->items;
        }
        return SN_OK;
}

sn_status note_handle_batch_get_indexed(struct rpc_call *c, const Note__BatchGetIndexedRequest *in,
                                        Note__IndexedNotes *out)
{
        return show_indexed(c, in->ids, in->n_ids, out);
}

sn_status note_handle_list_indexed(struct rpc_call *c, const Note__ListIndexedRequest *in, Note__IndexedNotes *out)
{
        Note__NoteRef **refs = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_ids_after(tx, in->after_id, in->limit, &n, &refs)));
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                ids[i] = refs[i]->id;
        }
        out->last_id = n == in->limit ? ids[n - 1] : (char *)protobuf_c_empty_string;
        return show_indexed(c, ids, n, out);
}

sn_status note_handle_list_bookmarked_ids(struct rpc_call *c, const Note__ListBookmarkedIdsRequest *in,
                                          Note__BookmarkedIds *out)
{
        struct page_scan scan = {.limit = in->limit};
        NoteRows__Bookmark **rows = NULL;

        TRY(DB_READ(c, tx, store_bookmarks(tx, in->user_id, &scan, &out->n_ids, &rows)));
        out->ids = ARENA_ARRAY(c->arena, char *, out->n_ids);
        for (size_t i = 0; i < out->n_ids; i++) {
                out->ids[i] = rows[i]->note_id;
        }
        return SN_OK;
}

/* If both are given, "after" counts. */
static struct page_scan scan_of(const char *before_id, const char *after_id, uint32_t limit, char **except,
                                size_t n_except)
{
        struct page_scan scan = {.newer = after_id[0] != '\0', .limit = limit, .except = except, .n_except = n_except};

        (void)snprintf(scan.beyond.id, UUID_SIZE, "%s", scan.newer ? after_id : before_id);
        return scan;
}

/* Before the rows are read. */
static char *settled(struct rpc_call *c)
{
        return in_flight_settled(c->service, arena_alloc(c->arena, UUID_SIZE));
}

sn_status note_handle_list_ids_by_authors(struct rpc_call *c, const Note__ListIdsByAuthorsRequest *in,
                                          Note__NoteRefs *out)
{
        struct page_scan scan =
            scan_of(in->before_id, in->after_id, in->limit, in->except_author_ids, in->n_except_author_ids);
        int seen_as = in->seen_as == NOTE__VISIBILITY__VISIBILITY_UNSPECIFIED ? NOTE__VISIBILITY__VISIBILITY_PUBLIC
                                                                              : (int)in->seen_as;

        out->settled_id = settled(c);
        if (in->n_author_ids <= RECENT_AUTHORS && in->n_except_author_ids == 0 && !in->fresh) {
                return recent_list(c, in->author_ids, in->n_author_ids, seen_as, &scan, &out->n_items, &out->items);
        }
        return newest_list(c, in->author_ids, in->n_author_ids, seen_as, &scan, &out->n_items, &out->items);
}

sn_status note_handle_list_ids_by_hashtag(struct rpc_call *c, const Note__ListIdsByHashtagRequest *in,
                                          Note__NoteRefs *out)
{
        struct page_scan scan =
            scan_of(in->before_id, in->after_id, in->limit, in->except_author_ids, in->n_except_author_ids);
        const char *problem = NULL;
        char *key = hashtag_key(c->arena, in->tag, &problem);

        if (key == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "tag", "%s", problem);
        }
        out->settled_id = settled(c);
        return DB_READ(c, tx, store_ids_by_hashtag(tx, key, in->viewer_id, &scan, &out->n_items, &out->items));
}

/* ---- Home timelines ---- */

/* Both are in the order of the timeline, which is that of IDs. */
static void merge_own(struct rpc_call *c, const Note__ShowHomeRequest *in, Note__NoteRef *const *own, size_t n_own,
                      bool newer, Note__HomeNotes *out)
{
        size_t i = 0, k = 0;

        out->ids = ARENA_ARRAY(c->arena, char *, in->limit);
        while (out->n_ids < in->limit && (i < in->n_ids || k < n_own)) {
                int order = i == in->n_ids ? 1 : k == n_own ? -1 : strcmp(in->ids[i], own[k]->id);

                if (i < in->n_ids && k < n_own && !newer) {
                        order = -order;
                }
                out->ids[out->n_ids++] = order <= 0 ? in->ids[i] : own[k]->id;
                i += order <= 0;
                k += order >= 0;
        }
}

/* With nothing to show, the version alone. */
static sn_status ask_version(struct rpc_call *c, char *viewer, int64_t *version)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        Follow__Relations out = FOLLOW__RELATIONS__INIT;

        in.viewer_id = viewer;
        TRY(follow_get_relations(c, &in, &out));
        *version = out.version;
        return SN_OK;
}

sn_status note_handle_show_home(struct rpc_call *c, const Note__ShowHomeRequest *in, Note__HomeNotes *out)
{
        struct page_scan scan = scan_of(in->before_id, in->after_id, in->limit, NULL, 0);
        struct reader reader = {.id = in->viewer_id,
                                .hides_muted = true,
                                .only_followed = true,
                                .relations_version = &out->relations_version};
        char *author = in->viewer_id;
        Note__NoteRef **own = NULL;
        size_t n_own = 0;

        out->settled_id = settled(c);
        TRY(recent_list(c, &author, 1, NOTE__VISIBILITY__VISIBILITY_ONLY_ME, &scan, &n_own, &own));
        merge_own(c, in, own, n_own, scan.newer, out);
        if (out->n_ids == 0) {
                return ask_version(c, in->viewer_id, &out->relations_version);
        }
        TRY(show_notes(c, &reader, out->ids, out->n_ids, &out->n_items, &out->items));
        out->n_next_renote_ids = out->n_items;
        out->next_renote_ids = ARENA_ARRAY(c->arena, char *, out->n_items);
        return renoters_show(c, show_one_viewer(c->arena, in->viewer_id, out->n_items), out->items, out->n_items,
                             out->next_renote_ids);
}

/* Calls in flight first: what is no longer in flight is committed, and its event is in the log. */
sn_status note_handle_get_settled(struct rpc_call *c, const Note__GetSettledRequest *in, Note__Settled *out)
{
        int64_t pending_ms = INT64_MAX;
        char pending[UUID_SIZE];

        out->id = in_flight_settled(c->service, arena_alloc(c->arena, UUID_SIZE));
        TRY(bus_pending_since(c, in->log_position, &pending_ms));
        if (pending_ms <= uuid_time_ms(out->id)) {
                memcpy(out->id, uuid_at_ms(pending_ms, pending), UUID_SIZE);
        }
        return SN_OK;
}

/* ---- Members concerned by notes ---- */

static Note__Concerned *concerned_of(struct rpc_call *c, char *id, const NoteRows__StoredNote *note)
{
        Note__Concerned *out = ARENA_NEW(c->arena, Note__Concerned);

        note__concerned__init(out);
        out->id = id;
        if (note != NULL) {
                out->author_id = note->note->author->id;
                out->root_id = note->root_id;
                out->is_public = note->note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC;
                out->mention_ids = ARENA_ARRAY(c->arena, char *, note->note->n_mentions);
                for (size_t i = 0; i < note->note->n_mentions; i++) {
                        out->mention_ids[out->n_mention_ids++] = note->note->mentions[i]->id;
                }
        }
        return out;
}

static sn_status add_parents(struct rpc_call *c, NoteRows__StoredNote *const *notes, size_t n, Note__Concerned **items)
{
        NoteRows__StoredNote **parents = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, n);
        Note__Concerned **of = ARENA_ARRAY(c->arena, Note__Concerned *, n);
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        size_t n_parents = 0;

        for (size_t i = 0; i < n; i++) {
                if (notes[i] != NULL && notes[i]->note->parent_id[0] != '\0') {
                        of[n_parents] = items[i];
                        ids[n_parents++] = notes[i]->note->parent_id;
                }
        }
        TRY(stored_get(c, READ_FROM_ANYWHERE, ids, n_parents, parents));
        for (size_t i = 0; i < n_parents; i++) {
                if (parents[i] != NULL) {
                        of[i]->parent_author_id = parents[i]->note->author->id;
                }
        }
        return SN_OK;
}

sn_status note_handle_get_concerned(struct rpc_call *c, const Note__GetConcernedRequest *in, Note__ConcernedList *out)
{
        NoteRows__StoredNote **notes = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, in->n_ids);

        TRY(stored_get(c, READ_FROM_ANYWHERE, in->ids, in->n_ids, notes));
        out->n_items = in->n_ids;
        out->items = ARENA_ARRAY(c->arena, Note__Concerned *, in->n_ids);
        for (size_t i = 0; i < in->n_ids; i++) {
                out->items[i] = concerned_of(c, in->ids[i], notes[i]);
        }
        return add_parents(c, notes, in->n_ids, out->items);
}
