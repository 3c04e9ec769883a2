/* Owns the timelines of a member and of a hashtag: note_service has them sorted already. */
#include "services/timeline/timeline.h"

#include <stdio.h>
#include "services/member.h"
#include "services/timeline/refs.h"

static void fill_refs(struct rpc_call *c, const Note__NoteRefs *notes, struct page_refs *out)
{
        page_refs_of_notes(c->arena, notes->items, notes->n_items, out);
        (void)snprintf(out->settled.id, UUID_SIZE, "%s", notes->settled_id);
}

/* ---- Of a member ---- */

struct author {
        char *id;
        Note__Visibility seen_as; /* unspecified: the author is hidden from the actor */
};

static Note__Visibility seen_as(const struct rpc_call *c, const char *author, const Follow__Relationship *relation)
{
        if (uuid_equal(author, c->actor)) {
                return NOTE__VISIBILITY__VISIBILITY_ONLY_ME;
        }
        if (!page_admits_unblocked(NULL, relation)) {
                return NOTE__VISIBILITY__VISIBILITY_UNSPECIFIED;
        }
        return relation->following ? NOTE__VISIBILITY__VISIBILITY_FOLLOWERS : NOTE__VISIBILITY__VISIBILITY_PUBLIC;
}

static sn_status load_audience(struct rpc_call *c, struct author *author)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        Follow__Relations found = FOLLOW__RELATIONS__INIT;

        in.viewer_id = (char *)c->actor;
        in.user_ids = &author->id;
        in.n_user_ids = 1;
        TRY(follow_get_relations(c, &in, &found));
        if (found.n_items != 1) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the follow service answered with the wrong number of relations");
        }
        author->seen_as = seen_as(c, author->id, found.items[0]);
        return SN_OK;
}

static sn_status fetch_by_author(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        Note__NoteRefs found = NOTE__NOTE_REFS__INIT;
        struct author *author = context;

        if (author->seen_as == NOTE__VISIBILITY__VISIBILITY_UNSPECIFIED) {
                return SN_OK;
        }
        TRY(refs_by_authors(c, &author->id, 1, author->seen_as, false, scan, &found));
        fill_refs(c, &found, out);
        return SN_OK;
}

sn_status timeline_handle_get_user_timeline(struct rpc_call *c, const Timeline__GetUserTimelineRequest *in,
                                            Timeline__Page *out)
{
        struct author author = {0};
        struct page_source source = {.newest_first = true,
                                     .fetch = fetch_by_author,
                                     .admits = page_admits_unblocked,
                                     .show = refs_show,
                                     .context = &author};
        struct page page;

        TRY(member_find(c, in->user_id, &author.id));
        TRY(load_audience(c, &author));
        source.filter = author.id;
        source.admitted = author.id;
        TRY(page_read(c, &source, PAGE_ASKED(in, TIMELINE__GET_USER_TIMELINE_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

/* ---- Of a hashtag ---- */

static sn_status fetch_by_hashtag(struct rpc_call *c, void *context, const struct page_scan *scan,
                                  struct page_refs *out)
{
        Note__ListIdsByHashtagRequest in = NOTE__LIST_IDS_BY_HASHTAG_REQUEST__INIT;
        Note__NoteRefs found = NOTE__NOTE_REFS__INIT;

        in.tag = context;
        in.viewer_id = (char *)c->actor;
        in.limit = (uint32_t)scan->limit;
        in.except_author_ids = scan->except;
        in.n_except_author_ids = scan->n_except;
        *(scan->newer ? &in.after_id : &in.before_id) = (char *)page_beyond_id(scan);
        TRY(note_list_ids_by_hashtag(c, &in, &found));
        fill_refs(c, &found, out);
        return SN_OK;
}

static bool admits_unmuted(const void *context, const Follow__Relationship *author)
{
        return page_admits_unblocked(context, author) && !author->muting;
}

sn_status timeline_handle_get_hashtag_timeline(struct rpc_call *c, const Timeline__GetHashtagTimelineRequest *in,
                                               Timeline__Page *out)
{
        struct page_source source = {.filter = in->tag,
                                     .newest_first = true,
                                     .fetch = fetch_by_hashtag,
                                     .admits = admits_unmuted,
                                     .show = refs_show_unmuted,
                                     .context = in->tag};
        struct page page;

        TRY(page_read(c, &source, PAGE_ASKED(in, TIMELINE__GET_HASHTAG_TIMELINE_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
