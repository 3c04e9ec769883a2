/* Pages of lists: the only loop that fills a page with visible items, and the only place where cursors are made and
 * read. A page reveals nothing about hidden items: it ends after its visible items, and continues exactly if there
 * is another one. */
#ifndef SERVICES_PAGE_H
#define SERVICES_PAGE_H

#include "auth/cursor.h"
#include "services/follow/follow.rpc.h"
#include "services/note/note.rpc.h"

/* The pagination of a request; limit 0 means 20. */
struct page_asked {
        const char *position; /* a cursor or, if newer, an item's ID; "" or NULL: from the start */
        bool newer;           /* items after the position, oldest first */
        uint32_t limit;
};

/* From a request with `oneof position { string cursor; string after; }`. */
#define PAGE_ASKED(in, REQUEST)                                                                                        \
        (&(struct page_asked){.position = (in)->position_case != 0 ? (in)->cursor : "",                                \
                              .newer = (in)->position_case == REQUEST##__POSITION_AFTER,                               \
                              .limit = (in)->limit})

/* An item before its visibility was checked. */
struct page_ref {
        struct position at;
        const char *author_id;         /* NULL: relationships do not hide it */
        const char *renoted_author_id; /* whose note it renotes; NULL or "": none */
        bool skip;                     /* hidden */
};

/* What a source must return: at most limit refs beyond a position, except those of certain authors. */
struct page_scan {
        struct position beyond; /* all zero: from the end that comes first */
        uint64_t began;         /* going down from an earlier page: uuid_start of the first item of the first page */
        bool newer;             /* ascending; false: descending */
        size_t limit;
        char **except;
        size_t n_except;
};

/* The position for a comparison in a query: for the start, one beyond which all items are. */
const char *page_beyond_id(const struct page_scan *scan);
int64_t page_beyond_ms(const struct page_scan *scan);

struct page_refs {
        size_t n;
        struct page_ref *items;
        bool more; /* the list continues after the last item, although there are fewer than the limit */
        /* For lists that are newest first: everything that will ever be before it was there before the fetch. */
        struct position settled;
};

struct page_source {
        const char *filter; /* identifies the list in its cursors */
        bool newest_first;
        /* Fewer refs than scan->limit: there are no more. It may ignore scan->except. */
        sn_status (*fetch)(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out);
        /* Whether the list shows notes by a member to whom the actor has this relationship; NULL: always. */
        bool (*admits)(const void *context, const Follow__Relationship *author);
        /* Members known to the source to be admitted, for whom nothing needs to be loaded. NULL: none. */
        const char *admitted;
        /* The items visible to the actor, in the requested order. They must have a field "id". */
        sn_status (*show)(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                          ProtobufCMessage ***items);
        /* The position of an item, for `after` with an ID; NULL: the ID itself is the position. */
        sn_status (*locate)(struct rpc_call *c, void *context, struct position *at);
        void *context;
};

struct page {
        size_t n;
        ProtobufCMessage **items;
        char *next_cursor; /* "": the end, and always when newer items were requested */
        char *prev_cursor; /* "": an empty list, or one that is oldest first */
};

/* Continues until the page is full, or fails with SN_DEADLINE_EXCEEDED: a short page would reveal how much is
 * hidden. */
SN_CHECKED sn_status page_read(struct rpc_call *c, const struct page_source *source, const struct page_asked *asked,
                               struct page *out);

struct db_tx;
/* Rows beyond the scan's position, at most its limit, ordered by their field "id". */
typedef sn_status (*page_rows_read)(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                                    ProtobufCMessage ***rows);
/* A page of a list that is newest first and has no hidden rows: they are shown as returned by read. */
SN_CHECKED sn_status page_read_rows(struct rpc_call *c, const char *filter, page_rows_read read, const void *context,
                                    const struct page_asked *asked, struct page *out);

/* Into a response with the fields items, next_cursor and prev_cursor. */
#define PAGE_ANSWER(out, page)                                                                                         \
        do {                                                                                                           \
                (out)->n_items = (page)->n;                                                                            \
                (out)->items = (void *)(page)->items;                                                                  \
                (out)->next_cursor = (page)->next_cursor;                                                              \
                (out)->prev_cursor = (page)->prev_cursor;                                                              \
        } while (0)

/* From a list of note_service. */
void page_refs_of_notes(struct arena *arena, Note__NoteRef *const *notes, size_t n, struct page_refs *out);
/* For admits: neither blocks the other. */
bool page_admits_unblocked(const void *context, const Follow__Relationship *author);

#endif
