/* Owns processing a text before it is stored. */
#include "services/note/draft.h"

#include <string.h>
#include "base/text.h"
#include "services/note/newest.h"
#include "services/note/recent.h"
#include "services/note/stored.h"
#include "services/note/visibility.h"
#include "services/timestamp.h"
#include "services/user/user.rpc.h"

/* Mentions of existing members, in order of appearance. */
static sn_status resolve_mentions(struct rpc_call *c, struct draft *draft)
{
        User__ResolveUsernamesRequest in = USER__RESOLVE_USERNAMES_REQUEST__INIT;
        User__Authors found = USER__AUTHORS__INIT;

        if (draft->entities.n_mentions == 0) {
                return SN_OK;
        }
        in.usernames = draft->entities.mentions;
        in.n_usernames = draft->entities.n_mentions;
        TRY(user_resolve_usernames(c, &in, &found));
        draft->mentions = ARENA_ARRAY(c->arena, Note__Mention *, found.n_items);
        for (size_t i = 0; i < found.n_items; i++) {
                Note__Mention *mention = ARENA_NEW(c->arena, Note__Mention);

                note__mention__init(mention);
                mention->id = found.items[i]->id;
                mention->username = found.items[i]->username;
                draft->mentions[draft->n_mentions++] = mention;
        }
        return SN_OK;
}

struct draft draft_empty(struct rpc_call *c)
{
        return (struct draft){
            .id = uuid_new_in(c->arena),
            .author_id = c->actor,
            .trace_id = c->trace_id,
            .created_ms = c->now_ms,
            .text = "",
            .visibility = NOTE__VISIBILITY__VISIBILITY_PUBLIC,
            .audience_owner = c->actor,
            .parent_id = "",
            .root_id = "",
            .renote_of_id = "",
        };
}

sn_status draft_new(struct rpc_call *c, const char *text, struct draft *draft)
{
        *draft = draft_empty(c);
        draft->text = text;
        if (text_is_blank(text)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "text", "must not be empty");
        }
        entities_extract(c->arena, text, &draft->entities);
        return resolve_mentions(c, draft);
}

static void show_text(struct arena *arena, const struct draft *draft, Note__Note *out)
{
        out->text = (char *)draft->text;
        out->n_hashtags = draft->entities.n_hashtags;
        out->hashtags = ARENA_ARRAY(arena, char *, out->n_hashtags);
        for (size_t i = 0; i < out->n_hashtags; i++) {
                out->hashtags[i] = draft->entities.hashtags[i].text;
        }
        out->n_mentions = draft->n_mentions;
        out->mentions = draft->mentions;
}

/* A note that says nothing about other notes or members. */
static bool stands_alone(const struct draft *draft)
{
        return draft->parent_id[0] == '\0' && draft->renote_of_id[0] == '\0' && draft->n_mentions == 0 &&
               draft->n_media_ids == 0;
}

/* As it will be read. */
static NoteRows__StoredNote *to_row(struct arena *arena, const struct draft *draft)
{
        NoteRows__StoredNote *row = ARENA_NEW(arena, NoteRows__StoredNote);
        User__Author *author = ARENA_NEW(arena, User__Author);
        Note__Note *note = ARENA_NEW(arena, Note__Note);

        note_rows__stored_note__init(row);
        user__author__init(author);
        note__note__init(note);
        author->id = (char *)draft->author_id;
        note->id = draft->id;
        note->author = author;
        show_text(arena, draft, note);
        note->visibility = (Note__Visibility)draft->visibility;
        note->created_at = timestamp_new(arena, draft->created_ms);
        note->counts = ARENA_NEW(arena, Note__NoteCounts);
        note__note_counts__init(note->counts);
        row->note = note;
        row->version = 1;
        if (draft->visibility != NOTE__VISIBILITY__VISIBILITY_PUBLIC) {
                row->audience_owner_id = (char *)draft->audience_owner;
                row->narrowed = draft->narrowed;
        }
        return row;
}

static void update_caches(struct db_tx *tx, const struct draft *draft)
{
        if (stands_alone(draft)) {
                stored_added(tx, to_row(db_arena(tx), draft));
        } else {
                stored_changed(tx, draft->id);
        }
        if (draft->parent_id[0] == '\0') {
                newest_added(tx, draft->author_id, draft->visibility);
                if (draft->renote_of_id[0] == '\0') {
                        recent_added(tx, draft->author_id, draft->visibility, draft->id);
                } else {
                        recent_changed(tx, draft->author_id, draft->visibility);
                }
        }
}

sn_status draft_store(struct db_tx *tx, const struct draft *const *drafts, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                update_caches(tx, drafts[i]);
        }
        return store_insert_notes(tx, drafts, n);
}

sn_status draft_author(struct rpc_call *c, struct draft *draft)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors found = USER__AUTHORS__INIT;
        char *ids[1] = {(char *)c->actor};

        in.ids = ids;
        in.n_ids = 1;
        TRY(user_batch_get_authors(c, &in, &found));
        if (found.n_items != 1 || found.items[0]->id[0] == '\0') {
                return rpc_fail(c, SN_UNAUTHENTICATED, NULL, "the account of this token no longer exists");
        }
        draft->author = found.items[0];
        return SN_OK;
}

sn_status draft_media(struct rpc_call *c, struct draft *draft, char **ids, size_t n)
{
        Media__AttachRequest in = MEDIA__ATTACH_REQUEST__INIT;
        Media__Descriptions out = MEDIA__DESCRIPTIONS__INIT;

        if (n == 0) {
                return SN_OK;
        }
        in.owner_id = (char *)c->actor;
        in.object_id = draft->id;
        in.is_public = draft->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC;
        in.ids = ids;
        in.n_ids = n;
        TRY(media_attach(c, &in, &out));
        if (out.n_items != n) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the media service answered with the wrong number of media");
        }
        draft->media_ids = ids;
        draft->n_media_ids = n;
        draft->media = out.items;
        return SN_OK;
}

void draft_inherit_audience(struct draft *draft, const NoteRows__StoredNote *of)
{
        bool is_public = of->note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC;
        bool is_own = !is_public && uuid_equal(note_audience_owner(of), draft->author_id);

        draft->visibility = (int)of->note->visibility;
        draft->audience_owner = note_audience_owner(of);
        if (!draft->author->private_ || is_own) {
                return;
        }
        draft->uncounted = true;
        draft->narrowed = !is_public;
        if (is_public) {
                draft->visibility = NOTE__VISIBILITY__VISIBILITY_FOLLOWERS;
                draft->audience_owner = draft->author_id;
        }
}

void draft_show_edit(struct rpc_call *c, const struct draft *draft, Note__Note *out)
{
        show_text(c->arena, draft, out);
        out->edited_at = timestamp_new(c->arena, c->now_ms);
}

void draft_show(struct rpc_call *c, const struct draft *draft, Note__Note *out)
{
        out->id = draft->id;
        out->author = (User__Author *)draft->author;
        show_text(c->arena, draft, out);
        out->visibility = (Note__Visibility)draft->visibility;
        out->created_at = timestamp_new(c->arena, c->now_ms);
        out->counts = ARENA_NEW(c->arena, Note__NoteCounts);
        note__note_counts__init(out->counts);
        out->viewer = ARENA_NEW(c->arena, Note__NoteViewer);
        note__note_viewer__init(out->viewer);
        out->parent_id = (char *)draft->parent_id;
        out->media = draft->media;
        out->n_media = draft->n_media_ids;
}
