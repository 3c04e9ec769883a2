/* Owns the timelines of one member and of one hashtag: note_service has them in order already. */
#include "services/timeline/timeline.h"

#include "services/member.h"
#include "services/timeline/page.h"

static sn_status fetch_by_author(struct rpc_call *c, void *context, const char *before_id, size_t limit,
                                 struct refs *out)
{
        Note__ListIdsByAuthorsRequest in = NOTE__LIST_IDS_BY_AUTHORS_REQUEST__INIT;
        Note__NoteRefs found = NOTE__NOTE_REFS__INIT;
        char *authors[1] = {context};

        in.author_ids = authors;
        in.n_author_ids = 1;
        in.before_id = (char *)before_id;
        in.limit = (uint32_t)limit;
        TRY(note_list_ids_by_authors(c, &in, &found));
        out->n = found.n_items;
        out->items = found.items;
        return SN_OK;
}

sn_status timeline_handle_get_user_timeline(struct rpc_call *c, const Timeline__GetUserTimelineRequest *in,
                                            Timeline__Page *out)
{
        struct page_source source = {.fetch = fetch_by_author};
        char *user_id = NULL;

        TRY(member_find(c, in->user_id, &user_id));
        source.context = user_id;
        return page_build(c, user_id, in->cursor, in->limit, &source, out);
}

static sn_status fetch_by_hashtag(struct rpc_call *c, void *context, const char *before_id, size_t limit,
                                  struct refs *out)
{
        Note__ListIdsByHashtagRequest in = NOTE__LIST_IDS_BY_HASHTAG_REQUEST__INIT;
        Note__NoteRefs found = NOTE__NOTE_REFS__INIT;

        in.tag = context;
        in.before_id = (char *)before_id;
        in.limit = (uint32_t)limit;
        TRY(note_list_ids_by_hashtag(c, &in, &found));
        out->n = found.n_items;
        out->items = found.items;
        return SN_OK;
}

sn_status timeline_handle_get_hashtag_timeline(struct rpc_call *c, const Timeline__GetHashtagTimelineRequest *in,
                                               Timeline__Page *out)
{
        struct page_source source = {.fetch = fetch_by_hashtag, .context = in->tag, .hide_muted = true};

        return page_build(c, in->tag, in->cursor, in->limit, &source, out);
}
