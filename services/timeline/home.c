/* Owns the home timeline: the tail from Redis, or from PostgreSQL, merged with one's own notes; whom one does not
 * follow any more, or mutes, passed over. */
#include "services/timeline/timeline.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/timeline/home_cache.h"
#include "services/timeline/page.h"
#include "services/timeline/store.h"
#include "services/timeline/tail.h"

/* The reader's relations with the authors of some refs, and the version of all their relations. */
static sn_status relations_with(struct rpc_call *c, const struct refs *refs, Follow__Relations *out)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;

        in.viewer_id = (char *)c->actor;
        in.n_user_ids = refs->n;
        in.user_ids = ARENA_ARRAY(c->arena, char *, refs->n);
        for (size_t i = 0; i < refs->n; i++) {
                in.user_ids[i] = refs->items[i]->author_id;
        }
        follow__relations__init(out);
        TRY(follow_get_relations(c, &in, out));
        if (out->n_items != refs->n) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the follow service gave another number of relations than asked");
        }
        return SN_OK;
}

static void admit(struct rpc_call *c, const Follow__Relations *relations, struct refs *refs)
{
        refs->admitted = ARENA_ARRAY(c->arena, bool, refs->n);
        for (size_t i = 0; i < refs->n; i++) {
                refs->admitted[i] = relations->items[i]->following && !relations->items[i]->muting;
        }
}

/* *usable is false when there is no set, or one that lacks somebody whom the reader follows, or that must be marked as
 * read. */
static void read_cached(struct rpc_call *c, const char *before_id, size_t limit, bool *usable,
                        struct home_header *header, struct refs *refs)
{
        bool found = false;

        *usable = home_cache_read(c, c->actor, before_id, limit, &found, header, refs) == SN_OK && found &&
                  header->day == home_cache_today(c);
        c->problem = (struct rpc_problem){0};
}

/* Best effort: without Redis the page comes from PostgreSQL anyway. */
static sn_status build_cached(struct rpc_call *c)
{
        struct home_header header = {.day = home_cache_today(c)};
        TimelineRows__State state;
        struct home_build build;
        struct refs refs;
        bool redis = home_cache_prepare(c, c->actor, &build) == SN_OK;

        c->problem = (struct rpc_problem){0};
        TRY(tail_ensure(c, c->actor, &state));
        if (!redis) {
                return SN_OK;
        }
        TRY(tail_entries(c, c->actor, "", HOME_CACHE_ENTRIES, &refs, &header.complete));
        header.version = state.relations_version;
        header.complete = header.complete && refs.n < HOME_CACHE_ENTRIES;
        if (home_cache_store(c, c->actor, &build, &header, &refs) != SN_OK) {
                c->problem = (struct rpc_problem){0};
        }
        return SN_OK;
}

/* What others wrote: from Redis as far as its set reaches, when it knows all whom the reader follows; then from the
 * tail, brought up to date; pulled beyond that. */
static sn_status fetch_others(struct rpc_call *c, const char *before_id, size_t limit, struct refs *out)
{
        Follow__Relations relations;
        struct home_header header;
        bool usable = false, complete = false;

        *out = (struct refs){0};
        read_cached(c, before_id, limit, &usable, &header, out);
        TRY(relations_with(c, out, &relations));
        usable = usable && header.version >= relations.version;
        complete = usable && header.complete;
        if (!usable) {
                TRY(build_cached(c));
        }
        if (!usable || (out->n < limit && !complete)) {
                TRY(tail_entries(c, c->actor, before_id, limit, out, &complete));
                TRY(relations_with(c, out, &relations));
        }
        if (out->n < limit && !complete) {
                TRY(tail_pull(c, c->actor, before_id, limit, out));
                TRY(relations_with(c, out, &relations));
        }
        admit(c, &relations, out);
        return SN_OK;
}

static sn_status fetch_own(struct rpc_call *c, const char *before_id, size_t limit, Note__NoteRefs *out)
{
        Note__ListIdsByAuthorsRequest in = NOTE__LIST_IDS_BY_AUTHORS_REQUEST__INIT;
        char *authors[1] = {(char *)c->actor};

        in.author_ids = authors;
        in.n_author_ids = 1;
        in.before_id = (char *)before_id;
        in.limit = (uint32_t)limit;
        return note_list_ids_by_authors(c, &in, out);
}

/* Both are newest first and share no note. */
static void merge(struct rpc_call *c, const struct refs *others, const Note__NoteRefs *own, size_t limit,
                  struct refs *out)
{
        size_t a = 0, b = 0;

        *out = (struct refs){.items = ARENA_ARRAY(c->arena, Note__NoteRef *, limit),
                             .admitted = ARENA_ARRAY(c->arena, bool, limit)};
        while (out->n < limit && (a < others->n || b < own->n_items)) {
                bool take_own =
                    a == others->n || (b < own->n_items && strcmp(own->items[b]->id, others->items[a]->id) > 0);

                out->admitted[out->n] = take_own || others->admitted[a];
                out->items[out->n++] = take_own ? own->items[b++] : others->items[a++];
        }
}

static sn_status fetch_home(struct rpc_call *c, void *context, const char *before_id, size_t limit, struct refs *out)
{
        Note__NoteRefs own = NOTE__NOTE_REFS__INIT;
        struct refs others;

        TRY(fetch_own(c, before_id, limit, &own));
        TRY(fetch_others(c, before_id, limit, &others));
        merge(c, &others, &own, limit, out);
        return SN_OK;
}

sn_status timeline_handle_get_home(struct rpc_call *c, const Timeline__GetHomeRequest *in, Timeline__Page *out)
{
        struct page_source source = {.fetch = fetch_home, .hide_muted = true};

        return page_build(c, "home", in->cursor, in->limit, &source, out);
}
