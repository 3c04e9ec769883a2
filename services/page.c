/* Owns the loop that fills a page, and the contents of cursors.
 *
 * next_cursor is the position of the last item shown. prev_cursor is a position below which nothing more will
 * appear, and fingerprints of what was shown above it, since IDs do not become visible in order. */
#include "services/page.h"

#include <assert.h>
#include <string.h>
#include "base/stamps.h"
#include "services/services.h"

#define BATCH_MAX  500  /* the maximum of note.BatchGet */
#define EXCEPT_MAX 1000 /* the maximum of the sources */
/* The far future: accepted by PostgreSQL, and later than everything. */
#define LATEST_MS INT64_C(32503680000000)
/* Items older than the newest by more than this may count as settled; younger ones never do, so that the same page
 * has the same prev_cursor regardless of concurrent writes. */
#define MARGIN_MS 30000

struct filling {
        struct rpc_call *c;
        const struct page_source *source;
        struct page_scan scan;
        struct cursor from;     /* where the request starts */
        struct position *again; /* what was seen before, as far as it was fetched again */
        size_t n_again;
        struct position settled;
        size_t wanted, room, n;
        ProtobufCMessage **items;
        struct position *places; /* of the items */
        bool end;                /* the list was read to its end, and all of it fitted */
};

bool page_admits_unblocked(const void *context, const Follow__Relationship *author)
{
        return !author->blocking && !author->blocked_by;
}

const char *page_beyond_id(const struct page_scan *scan)
{
        if (scan->beyond.id[0] != '\0') {
                return scan->beyond.id;
        }
        return scan->newer ? "00000000-0000-0000-0000-000000000000" : "ffffffff-ffff-ffff-ffff-ffffffffffff";
}

int64_t page_beyond_ms(const struct page_scan *scan)
{
        return scan->beyond.id[0] == '\0' && !scan->newer ? LATEST_MS : scan->beyond.sort_key;
}

void page_refs_of_notes(struct arena *arena, Note__NoteRef *const *notes, size_t n, struct page_refs *out)
{
        out->items = ARENA_ARRAY(arena, struct page_ref, n);
        out->n = n;
        for (size_t i = 0; i < n; i++) {
                out->items[i] = (struct page_ref){.author_id = notes[i]->author_id,
                                                  .renoted_author_id = notes[i]->renoted_author_id};
                memcpy(out->items[i].at.id, notes[i]->id, UUID_SIZE);
        }
}

static bool is_before(const struct position *a, const struct position *b)
{
        return a->sort_key != b->sort_key ? a->sort_key < b->sort_key : strcmp(a->id, b->id) < 0;
}

/* ---- Items fetched but not shown ---- */

/* Covers the item and its position, since following again makes another item. The last eight bytes of IDs are random.
 */
static uint64_t fingerprint(const struct position *at)
{
        uint64_t print = (uint64_t)at->sort_key * UINT64_C(0x9e3779b97f4a7c15);
        uint8_t id[16] = {0};

        (void)uuid_to_bytes(at->id, id);
        for (int i = 8; i < 16; i++) {
                print += (uint64_t)id[i] << (8 * (15 - i));
        }
        return print & ((UINT64_C(1) << CURSOR_PRINT_BITS) - 1);
}

static bool has_print(const uint64_t *prints, size_t n, uint64_t print)
{
        for (size_t i = 0; i < n; i++) {
                if (prints[i] == print) {
                        return true;
                }
        }
        return false;
}

static void skip_seen(struct filling *f, struct page_refs *refs)
{
        for (size_t i = 0; f->from.n_seen > 0 && i < refs->n; i++) {
                const struct position *at = &refs->items[i].at;

                if (has_print(f->from.seen, f->from.n_seen, fingerprint(at)) && f->n_again < CURSOR_SEEN_MAX) {
                        refs->items[i].skip = true;
                        f->again[f->n_again++] = *at;
                }
        }
}

/* Everything about this member is already loaded. */
static void except(struct filling *f, const char *member)
{
        struct page_scan *scan = &f->scan;

        for (size_t i = 0; i < scan->n_except; i++) {
                if (strcmp(scan->except[i], member) == 0) {
                        return;
                }
        }
        if (scan->except == NULL) {
                scan->except = ARENA_ARRAY(f->c->arena, char *, EXCEPT_MAX);
        }
        if (scan->n_except < EXCEPT_MAX) {
                scan->except[scan->n_except++] = (char *)member;
        }
}

static bool is_in_doubt(const struct filling *f, const char *member)
{
        return member != NULL && member[0] != '\0' && strcmp(member, f->c->actor) != 0 &&
               (f->source->admitted == NULL || strcmp(member, f->source->admitted) != 0);
}

/* The members whose relationships decide on the refs, two entries for each: the author, and the renoted author. */
static sn_status load_relations(struct filling *f, const struct page_refs *refs, const Follow__Relationship **relations)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        Follow__Relations out = FOLLOW__RELATIONS__INIT;
        size_t *places = ARENA_ARRAY(f->c->arena, size_t, 2 * refs->n);

        in.viewer_id = (char *)f->c->actor;
        in.user_ids = ARENA_ARRAY(f->c->arena, char *, 2 * refs->n);
        for (size_t i = 0; i < 2 * refs->n; i++) {
                const struct page_ref *ref = &refs->items[i / 2];
                const char *member = i % 2 == 0 ? ref->author_id : ref->renoted_author_id;

                if (is_in_doubt(f, member)) {
                        places[in.n_user_ids] = i;
                        in.user_ids[in.n_user_ids++] = (char *)member;
                }
        }
        if (in.n_user_ids == 0) {
                return SN_OK;
        }
        TRY(follow_get_relations(f->c, &in, &out));
        if (out.n_items != in.n_user_ids) {
                return rpc_fail(f->c, SN_INTERNAL, NULL,
                                "the follow service answered with the wrong number of relations");
        }
        for (size_t i = 0; i < out.n_items; i++) {
                relations[places[i]] = out.items[i];
        }
        return SN_OK;
}

static sn_status skip_unadmitted(struct filling *f, struct page_refs *refs)
{
        const Follow__Relationship **relations = ARENA_ARRAY(f->c->arena, const Follow__Relationship *, 2 * refs->n);

        if (f->source->admits == NULL || f->c->actor[0] == '\0') {
                return SN_OK; /* a reader without a token has no relationships */
        }
        TRY(load_relations(f, refs, relations));
        for (size_t i = 0; i < 2 * refs->n; i++) {
                if (relations[i] != NULL && !f->source->admits(f->source->context, relations[i])) {
                        refs->items[i / 2].skip = true;
                        except(f, relations[i]->user_id);
                }
        }
        return SN_OK;
}

/* ---- Items shown ---- */

static size_t place_of_id(const ProtobufCMessage *item)
{
        return protobuf_c_message_descriptor_get_field_by_name(item->descriptor, "id")->offset;
}

static void append_items(struct filling *f, const struct page_refs *refs, ProtobufCMessage **items, size_t n)
{
        size_t offset = n > 0 ? place_of_id(items[0]) : 0;

        for (size_t i = 0, at = 0; i < n && f->n < f->room; i++) {
                const char *id = *(char *const *)((const char *)items[i] + offset);

                while (strcmp(refs->items[at].at.id, id) != 0) {
                        at++;
                }
                f->places[f->n] = refs->items[at].at;
                f->items[f->n++] = items[i];
        }
}

static sn_status show_refs(struct filling *f, const struct page_refs *refs)
{
        char **ids = ARENA_ARRAY(f->c->arena, char *, refs->n);
        ProtobufCMessage **items = NULL;
        size_t n = 0, n_items = 0;

        for (size_t i = 0; i < refs->n; i++) {
                if (!refs->items[i].skip) {
                        ids[n++] = (char *)refs->items[i].at.id;
                }
        }
        if (n > 0) {
                TRY(f->source->show(f->c, f->source->context, ids, n, &n_items, &items));
                append_items(f, refs, items, n_items);
        }
        return SN_OK;
}

static sn_status fill_some(struct filling *f, bool first)
{
        struct page_refs refs = {0};

        TRY(f->source->fetch(f->c, f->source->context, &f->scan, &refs));
        if (first) {
                f->settled = refs.settled;
        }
        f->end = refs.n < f->scan.limit && !refs.more;
        if (refs.n == 0) {
                return SN_OK;
        }
        f->scan.beyond = refs.items[refs.n - 1].at;
        skip_seen(f, &refs);
        TRY(skip_unadmitted(f, &refs));
        TRY(show_refs(f, &refs));
        f->end = f->end && f->n < f->room;
        return SN_OK;
}

/* Going down, the list continues until it is settled: what is below the page is not newer than it. */
static bool is_filled(const struct filling *f)
{
        bool down = f->source->newest_first && !f->scan.newer;

        return f->end || f->n == f->room ||
               (f->n >= f->wanted && (!down || is_before(&f->places[f->n - 1], &f->settled)));
}

/* Batches grow while they yield little; unsuccessful ones leave no memory behind. */
static sn_status fill_page(struct filling *f)
{
        f->scan.limit = f->wanted + f->from.n_seen;
        for (bool first = true; !is_filled(f); first = false) {
                struct arena_mark mark = arena_mark(f->c->arena);
                size_t n = f->n, n_except = f->scan.n_except;

                if (rpc_call_expired(f->c)) {
                        return rpc_fail(f->c, SN_DEADLINE_EXCEEDED, NULL, "the page took too long; try again");
                }
                TRY(fill_some(f, first));
                if (f->n == n && f->scan.n_except == n_except) {
                        arena_reset(f->c->arena, mark);
                }
                if (!first) {
                        f->scan.limit = f->scan.limit < BATCH_MAX / 2 ? f->scan.limit * 2 : BATCH_MAX;
                }
        }
        return SN_OK;
}

/* ---- Cursors ---- */

static sn_status read_position(struct filling *f, const struct page_asked *asked)
{
        struct cursor *from = &f->from;

        if (asked->newer && uuid_valid(asked->position)) {
                memcpy(from->at.id, asked->position, UUID_SIZE);
                return f->source->locate != NULL ? f->source->locate(f->c, f->source->context, &from->at) : SN_OK;
        }
        TRY(cursor_decode(f->c, f->source->filter, asked->newer ? "after" : "cursor", asked->position, from));
        if (!asked->newer) {
                from->n_seen = 0;
        }
        return SN_OK;
}

static int64_t time_of(const struct position *at)
{
        return at->sort_key != 0 ? at->sort_key : uuid_time_ms(at->id);
}

/* Whether a cursor may claim that everything up to here was seen: it is settled, and not younger than a limit. Items
 * of an earlier page may be above those of a truncated page. */
static bool may_rise_to(const struct filling *f, const struct position *at, int64_t until_ms)
{
        const struct position *top = f->n > 0 ? &f->places[f->n - 1] : &f->from.at;

        return is_before(at, &f->settled) && time_of(at) <= until_ms &&
               (f->end || !f->scan.newer || !is_before(top, at));
}

/* The highest of some positions above a base that a cursor may claim; otherwise the base. */
static struct position rise(const struct filling *f, struct position base, const struct position *places, size_t n,
                            int64_t until_ms)
{
        for (size_t i = 0; i < n; i++) {
                if (is_before(&base, &places[i]) && may_rise_to(f, &places[i], until_ms)) {
                        base = places[i];
                }
        }
        return base;
}

static bool add_print(struct cursor *cursor, uint64_t print)
{
        if (cursor->n_seen == CURSOR_SEEN_MAX) {
                return false;
        }
        cursor->seen[cursor->n_seen++] = print;
        return true;
}

/* Records what is above the position, shown or read below the page; false if it does not fit. Items of an earlier
 * page that this one did not reach are kept. */
static bool remember_seen(const struct filling *f, struct cursor *cursor)
{
        uint64_t again[CURSOR_SEEN_MAX];
        bool room = true;

        cursor->n_seen = 0;
        for (size_t i = 0; i < f->n_again; i++) {
                again[i] = fingerprint(&f->again[i]);
                room = room && (!is_before(&cursor->at, &f->again[i]) || add_print(cursor, again[i]));
        }
        for (size_t i = 0; room && !f->end && i < f->from.n_seen; i++) {
                room = has_print(again, f->n_again, f->from.seen[i]) || add_print(cursor, f->from.seen[i]);
        }
        for (size_t i = 0; room && i < f->n; i++) {
                room = !is_before(&cursor->at, &f->places[i]) || add_print(cursor, fingerprint(&f->places[i]));
        }
        return room;
}

static int64_t newest_ms(const struct filling *f)
{
        int64_t newest = 0;

        for (size_t i = 0; i < f->n; i++) {
                newest = time_of(&f->places[i]) > newest ? time_of(&f->places[i]) : newest;
        }
        for (size_t i = 0; i < f->n_again; i++) {
                newest = time_of(&f->again[i]) > newest ? time_of(&f->again[i]) : newest;
        }
        return newest;
}

/* A cursor from a base up to here. If there is too much to record, everything settled counts. If that is still too
 * much, items are deferred: newer ones to a later page; going down, hidden ones are returned as newer ones. */
static char *cursor_from(struct filling *f, struct position base, size_t shown)
{
        assert((f->n == 0 || f->places != NULL) && (f->n_again == 0 || f->again != NULL));
        struct cursor cursor = {.at = base};
        int64_t until_ms = newest_ms(f) - MARGIN_MS;

        for (;;) {
                cursor.at = rise(f, rise(f, base, f->again, f->n_again, until_ms), f->places, f->n, until_ms);
                if (remember_seen(f, &cursor)) {
                        return cursor_encode(f->c, f->source->filter, &cursor);
                }
                if (until_ms == INT64_MAX) {
                        f->n = f->scan.newer ? f->n - 1 : shown;
                        f->end = false;
                }
                until_ms = INT64_MAX;
        }
}

/* Going down, the position above which everything counts as newer than the page: its last item if the list is
 * settled up to there, otherwise the last one read, and the start for a list that was read to its end. If that is
 * not settled either, something may still appear below it: then it is the position up to which the list is known to
 * be settled. */
static struct position base_of(const struct filling *f, size_t shown)
{
        const struct position *last = &f->places[shown - 1], *lowest = &f->places[f->n - 1];

        if (f->n > shown && is_before(last, &f->settled)) {
                return *last;
        }
        if (f->end) {
                return (struct position){0};
        }
        return is_before(&f->settled, lowest) && time_of(&f->settled) != 0 ? f->settled : *lowest;
}

static char *prev_cursor_down(const struct filling *f, size_t shown)
{
        struct filling above = *f;

        return shown > 0 ? cursor_from(&above, base_of(f, shown), shown) : (char *)protobuf_c_empty_string;
}

static char *next_cursor(const struct filling *f, size_t limit)
{
        struct cursor cursor = {.at = f->places[limit - 1], .began = f->scan.began};

        if (cursor.began == 0) {
                cursor.began = uuid_start(f->places[0].id);
        }
        return cursor_encode(f->c, f->source->filter, &cursor);
}

/* One more than the page needs, only to know whether there is more. */
static void start_filling(struct filling *f, size_t limit, bool newer)
{
        struct arena *arena = f->c->arena;

        f->scan.beyond = f->from.at;
        f->scan.began = newer ? 0 : f->from.began;
        f->wanted = newer ? limit : limit + 1;
        f->room = f->scan.newer ? f->wanted : f->wanted + CURSOR_SEEN_MAX;
        f->items = ARENA_ARRAY(arena, ProtobufCMessage *, f->room);
        f->places = ARENA_ARRAY(arena, struct position, f->room);
        f->again = f->from.n_seen > 0 ? ARENA_ARRAY(arena, struct position, CURSOR_SEEN_MAX) : NULL;
}

static bool are_before(const struct position *places, size_t n, const struct position *limit)
{
        for (size_t i = 0; i < n; i++) {
                if (!is_before(&places[i], limit)) {
                        return false;
                }
        }
        return true;
}

/* Below the settled position a page stays the same until something that it was read from changes; the rest depends on
 * time, too: on how far the list is settled. */
static void spoil_unsettled(const struct filling *f)
{
        if (f->source->newest_first &&
            !(are_before(f->places, f->n, &f->settled) && are_before(f->again, f->n_again, &f->settled))) {
                stamps_spoil();
        }
}

sn_status page_read(struct rpc_call *c, const struct page_source *source, const struct page_asked *asked,
                    struct page *out)
{
        struct filling f = {.c = c, .source = source, .scan = {.newer = asked->newer || !source->newest_first}};
        size_t limit = page_limit(asked->limit);

        *out = (struct page){.next_cursor = (char *)protobuf_c_empty_string,
                             .prev_cursor = (char *)protobuf_c_empty_string};
        TRY(read_position(&f, asked));
        start_filling(&f, limit, asked->newer);
        TRY(fill_page(&f));
        spoil_unsettled(&f);
        if (asked->newer && source->newest_first) {
                out->prev_cursor = cursor_from(&f, f.from.at, f.n); /* leaves out what does not fit */
        }
        out->n = f.n < limit ? f.n : limit;
        if (!asked->newer && source->newest_first) {
                out->prev_cursor = prev_cursor_down(&f, out->n);
        }
        out->items = f.items;
        if (!asked->newer && f.n > limit) {
                out->next_cursor = next_cursor(&f, limit);
        }
        return SN_OK;
}
