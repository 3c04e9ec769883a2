/* Owns the home timeline: others' notes from the cached timeline, or pulled from note_service, and one call to
 * note_service, which adds the reader's own and shows what belongs there. */
#include "services/timeline/timeline.h"

#include <stdio.h>
#include <string.h>
#include "services/timeline/delivered.h"
#include "services/timeline/famous.h"
#include "services/timeline/home_cache.h"
#include "services/timeline/once.h"
#include "services/timeline/pull.h"
#include "services/timeline/store.h"

/* A request for a page. */
struct home {
        struct once once;
        int64_t version;       /* of the reader's relationships that the list of others' notes reflects */
        Note__HomeNotes notes; /* of the latest fetch */
};

/* *usable is false if there is no cached timeline that can be trusted. */
static void read_cached(struct rpc_call *c, const struct page_scan *scan, bool *usable, struct home_header *header,
                        struct refs *refs, bool *whole)
{
        bool found = false;

        *usable = home_cache_read(c, c->actor, scan, &found, header, refs, whole) == SN_OK && found;
        c->problem = (struct rpc_problem){0};
}

/* Notes that are committed before they are pulled are pulled, and later ones are delivered to the build's token. */
static sn_status build_cached(struct rpc_call *c, const struct page_scan *scan, struct home_header *header,
                              struct refs *out, bool *whole)
{
        struct home_build build;
        struct refs refs;
        bool kept = home_cache_prepare(c, c->actor, &build);

        *header = (struct home_header){.day = home_cache_today(c)};
        TRY(pull_followed(c, c->actor, false, &(struct page_scan){.limit = HOME_CACHE_ENTRIES}, &refs,
                          &header->version));
        if (refs.n == HOME_CACHE_ENTRIES) {
                (void)uuid_to_bytes(refs.items[refs.n - 1]->id, header->low_water);
        }
        struct home_list list = home_list_of_refs(c->arena, header, &refs);
        home_list_pick(c, &list, scan, out, whole);
        if (kept) {
                home_cache_store(c, c->actor, &build, &list);
        }
        return SN_OK;
}

/* From the cached timeline as far as it goes, which is built if there is none, or anew; beyond it pulled from
 * note_service. */
static sn_status fetch_others(struct rpc_call *c, struct home *home, const struct page_scan *scan, bool anew,
                              struct refs *out)
{
        struct home_header header;
        bool usable = false, whole = false;
        int64_t version = 0;

        if (!anew) {
                read_cached(c, scan, &usable, &header, out, &whole);
        }
        if (!usable) {
                TRY(build_cached(c, scan, &header, out, &whole));
        }
        if (!usable || header.day != home_cache_today(c)) {
                TRY(DB_WRITE(c, tx, store_touch(tx, c->actor)));
        }
        home->version = header.version;
        return whole ? SN_OK : pull_followed(c, c->actor, true, scan, out, &version);
}

/* Adds the notes of famous members whom the reader follows. Those delivered before they became famous appear twice,
 * and are merged. */
static sn_status add_famous(struct rpc_call *c, const struct home *home, const struct page_scan *scan,
                            struct refs *others)
{
        Note__NoteRefs found = NOTE__NOTE_REFS__INIT;
        char **authors = NULL;
        size_t n = 0;

        TRY(famous_followed(c, c->actor, home->version, &authors, &n));
        if (n == 0) {
                return SN_OK;
        }
        TRY(refs_by_authors(c, authors, n, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, false, scan, &found));
        *others = refs_merge(c->arena, others, &(struct refs){found.n_items, found.items}, scan);
        return SN_OK;
}

/* The reader's own notes are added, and those of members who were unfollowed or muted left out, by note_service. */
static sn_status show_home(struct rpc_call *c, const struct page_scan *scan, const struct refs *others,
                           Note__HomeNotes *out)
{
        Note__ShowHomeRequest in = NOTE__SHOW_HOME_REQUEST__INIT;

        in.viewer_id = (char *)c->actor;
        in.limit = (uint32_t)scan->limit;
        *(scan->newer ? &in.after_id : &in.before_id) = (char *)page_beyond_id(scan);
        in.ids = ARENA_ARRAY(c->arena, char *, others->n);
        for (in.n_ids = 0; in.n_ids < others->n; in.n_ids++) {
                in.ids[in.n_ids] = others->items[in.n_ids]->id;
        }
        note__home_notes__init(out);
        TRY(note_show_home(c, &in, out));
        return out->n_next_renote_ids == out->n_items
                   ? SN_OK
                   : rpc_fail(c, SN_INTERNAL, NULL, "the note service answered with the wrong number of renotes");
}

/* If the reader has followed somebody since the timeline was built, it lacks their notes. */
static sn_status fetch_notes(struct rpc_call *c, struct home *home, const struct page_scan *scan)
{
        for (bool anew = false;; anew = true) {
                struct refs others;

                TRY(fetch_others(c, home, scan, anew, &others));
                TRY(add_famous(c, home, scan, &others));
                TRY(show_home(c, scan, &others, &home->notes));
                if (anew || home->version >= home->notes.relations_version) {
                        return SN_OK;
                }
        }
}

static sn_status read_home(struct rpc_call *c, struct home *home, const struct page_scan *scan, struct page_refs *out)
{
        const Note__HomeNotes *notes = &home->notes;

        delivered_settled(out->settled.id); /* first, so that everything read afterwards is complete */
        if (famous_refresh(c) != SN_OK) {   /* some may be missing: nothing is settled */
                c->problem = (struct rpc_problem){0};
                out->settled.id[0] = '\0';
        }
        TRY(fetch_notes(c, home, scan));
        out->items = ARENA_ARRAY(c->arena, struct page_ref, notes->n_ids);
        for (out->n = 0; out->n < notes->n_ids; out->n++) {
                out->items[out->n] = (struct page_ref){0};
                (void)snprintf(out->items[out->n].at.id, UUID_SIZE, "%s", notes->ids[out->n]);
        }
        if (strcmp(notes->settled_id, out->settled.id) < 0) {
                (void)snprintf(out->settled.id, UUID_SIZE, "%s", notes->settled_id);
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
        struct home *home = context;

        TRY(read_home(c, home, scan, out));
        if (has_unsettled(out) && delivered_ask(c)) {
                TRY(read_home(c, home, scan, out));
        }
        once_fetched(&home->once, scan, out);
        return SN_OK;
}

/* Of what was fetched. All are in the same order. */
static sn_status show_fetched(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                              ProtobufCMessage ***items)
{
        const struct home *home = context;
        const Note__HomeNotes *notes = &home->notes;

        *items = ARENA_ARRAY(c->arena, ProtobufCMessage *, notes->n_items);
        *n_items = 0;
        for (size_t i = 0, k = 0; i < notes->n_items && k < n; i++) {
                size_t at = k;

                while (at < n && strcmp(ids[at], notes->items[i]->id) != 0) {
                        at++;
                }
                if (at < n && once_is_here(&home->once, notes->next_renote_ids[i])) {
                        (*items)[(*n_items)++] = &notes->items[i]->base;
                }
                k = at < n ? at + 1 : k;
        }
        return SN_OK;
}

sn_status timeline_handle_get_home(struct rpc_call *c, const Timeline__GetHomeRequest *in, Timeline__Page *out)
{
        struct home home = {0};
        struct page_source source = {
            .filter = "home", .newest_first = true, .fetch = fetch_home, .show = show_fetched, .context = &home};
        struct page page;

        TRY(page_read(c, &source, PAGE_ASKED(in, TIMELINE__GET_HOME_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
