/* Owns the home timeline: the tail from Redis or PostgreSQL, merged with the member's own notes, skipping members
 * who were unfollowed or muted. */
#include "services/timeline/timeline.h"

#include <stdio.h>
#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/timeline/delivered.h"
#include "services/timeline/famous.h"
#include "services/timeline/home_cache.h"
#include "services/timeline/once.h"
#include "services/timeline/store.h"
#include "services/timeline/tail.h"

/* The reader's relationships with the authors of some refs, and the version of all their relationships. */
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
                return rpc_fail(c, SN_INTERNAL, NULL, "the follow service answered with the wrong number of relations");
        }
        return SN_OK;
}

/* *usable is false if there is no cached timeline, or it lacks someone whom the reader follows, or its reading must
 * be recorded. */
static void read_cached(struct rpc_call *c, const struct page_scan *scan, bool *usable, struct home_header *header,
                        struct refs *refs, bool *whole)
{
        bool found = false;

        *usable = home_cache_read(c, c->actor, scan, &found, header, refs, whole) == SN_OK && found &&
                  header->day == home_cache_today(c);
        c->problem = (struct rpc_problem){0};
}

/* From the tail, after updating it. */
static sn_status build_cached(struct rpc_call *c)
{
        struct home_header header = {.day = home_cache_today(c)};
        TimelineRows__State state;
        struct home_build build;
        struct refs refs;
        bool whole = false, complete = false;
        bool kept = home_cache_prepare(c, c->actor, &build);

        TRY(tail_ensure(c, c->actor, &state));
        if (!kept) {
                return SN_OK;
        }
        TRY(tail_entries(c, c->actor, &(struct page_scan){.limit = HOME_CACHE_ENTRIES}, &refs, &whole, &complete));
        header.version = state.relations_version;
        if (refs.n > 0 && !(complete && refs.n < HOME_CACHE_ENTRIES)) {
                (void)uuid_to_bytes(refs.items[refs.n - 1]->id, header.low_water);
        }
        home_cache_store(c, c->actor, &build, &header, &refs);
        return SN_OK;
}

/* Notes of others, and the reader's relationships with them: from Redis as far as the cached timeline goes, if it
 * includes everyone whom the reader follows; otherwise from the updated tail; beyond that pulled from note_service. */
static sn_status fetch_others(struct rpc_call *c, const struct page_scan *scan, struct refs *out,
                              Follow__Relations *relations)
{
        struct home_header header;
        bool usable = false, whole = false, complete = false;

        *out = (struct refs){0};
        read_cached(c, scan, &usable, &header, out, &whole);
        TRY(relations_with(c, out, relations));
        usable = usable && header.version >= relations->version;
        if (!usable) {
                TRY(build_cached(c));
        }
        if (!usable || !whole) {
                TRY(tail_entries(c, c->actor, scan, out, &whole, &complete));
                if (!whole) {
                        TRY(tail_pull(c, c->actor, scan, out));
                }
                TRY(relations_with(c, out, relations));
        }
        return SN_OK;
}

/* Adds the notes of famous members whom the reader follows. Those delivered before they became famous appear twice,
 * and are merged. */
static sn_status add_famous(struct rpc_call *c, const struct page_scan *scan, struct refs *others,
                            Follow__Relations *relations)
{
        Note__NoteRefs found = NOTE__NOTE_REFS__INIT;
        char **authors = NULL;
        size_t n = 0;

        TRY(famous_followed(c, c->actor, relations->version, &authors, &n));
        if (n == 0) {
                return SN_OK;
        }
        TRY(refs_by_authors(c, authors, n, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, false, scan, &found));
        *others = refs_merge(c->arena, others, &(struct refs){found.n_items, found.items}, scan);
        return relations_with(c, others, relations);
}

/* Notes of members who were unfollowed or muted are skipped. */
static void skip_unwanted(const struct refs *all, const struct refs *others, const Follow__Relations *relations,
                          struct page_refs *out)
{
        size_t k = 0;

        for (size_t i = 0; i < all->n && k < others->n; i++) {
                if (all->items[i] == others->items[k]) {
                        out->items[i].skip = !relations->items[k]->following || relations->items[k]->muting;
                        k++;
                }
        }
}

static sn_status read_home(struct rpc_call *c, const struct page_scan *scan, struct page_refs *out)
{
        Note__NoteRefs found = NOTE__NOTE_REFS__INIT;
        Follow__Relations relations;
        struct refs own, others, all;
        char *authors[1] = {(char *)c->actor};

        delivered_settled(out->settled.id); /* first, so that everything read afterwards is complete */
        if (famous_refresh(c) != SN_OK) {   /* some may be missing: nothing is settled */
                c->problem = (struct rpc_problem){0};
                out->settled.id[0] = '\0';
        }
        TRY(refs_by_authors(c, authors, 1, NOTE__VISIBILITY__VISIBILITY_ONLY_ME, false, scan, &found));
        TRY(fetch_others(c, scan, &others, &relations));
        TRY(add_famous(c, scan, &others, &relations));
        own = (struct refs){found.n_items, found.items};
        all = refs_merge(c->arena, &own, &others, scan);
        page_refs_of_notes(c->arena, all.items, all.n, out);
        skip_unwanted(&all, &others, &relations, out);
        if (strcmp(found.settled_id, out->settled.id) < 0) {
                (void)snprintf(out->settled.id, UUID_SIZE, "%s", found.settled_id);
        }
        return SN_OK;
}

static bool has_unsettled(const struct page_refs *refs)
{
        for (size_t i = 0; i < refs->n; i++) {
                if (strcmp(refs->items[i].at.id, refs->settled.id) >= 0) {
                        return true;
                }
        }
        return false;
}

/* The settled position is queried only if there is something new, and applies to what is read then. */
static sn_status fetch_home(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        TRY(read_home(c, scan, out));
        if (has_unsettled(out) && delivered_ask(c)) {
                TRY(read_home(c, scan, out));
        }
        once_fetched(context, scan, out);
        return SN_OK;
}

sn_status timeline_handle_get_home(struct rpc_call *c, const Timeline__GetHomeRequest *in, Timeline__Page *out)
{
        struct once once = {0};
        struct page_source source = {
            .filter = "home", .newest_first = true, .fetch = fetch_home, .show = once_show, .context = &once};
        struct page page;

        TRY(page_read(c, &source, PAGE_ASKED(in, TIMELINE__GET_HOME_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
