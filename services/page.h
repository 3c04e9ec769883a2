/* Pages of lists: the one loop that fills a page with what its reader may see, and the one place where cursors of lists
 * are made and read. A page tells nothing of what is hidden from its reader: it is cut after the items that are shown,
 * and goes on exactly when there is one more to show. */
#ifndef SERVICES_PAGE_H
#define SERVICES_PAGE_H

#include "auth/cursor.h"
#include "services/follow/follow.rpc.h"
#include "services/note/note.rpc.h"

/* What a request for a page says; limit 0 means 20. */
struct page_asked {
        const char *position; /* a cursor or, when newer, an item's id; "" or NULL: from the start */
        bool newer;           /* what came after the position, the oldest first */
        uint32_t limit;
};

/* Of a request with `oneof position { string cursor; string after; }`. */
#define PAGE_ASKED(in, REQUEST)                                                                                        \
        (&(struct page_asked){.position = (in)->position_case != 0 ? (in)->cursor : "",                                \
                              .newer = (in)->position_case == REQUEST##__POSITION_AFTER,                               \
                              .limit = (in)->limit})

/* An item before anybody looked at it. */
struct page_ref {
        struct position at;
        const char *author_id;         /* NULL: no relation hides it */
        const char *renoted_author_id; /* whose note it passes on; NULL or "": none */
        bool skip;                     /* not to be shown */
};

/* What a source is asked for: at most limit refs beyond a position, without those that these members wrote. */
struct page_scan {
        struct position beyond; /* all zero: from the end that comes first */
        uint64_t began;         /* down from an earlier page: uuid_start of the item with which the first one began */
        bool newer;             /* ascending; false: descending */
        size_t limit;
        char **except;
        size_t n_except;
};

/* The position for a query that compares: for the start, one that all items are beyond. */
const char *page_beyond_id(const struct page_scan *scan);
int64_t page_beyond_ms(const struct page_scan *scan);

struct page_refs {
        size_t n;
        struct page_ref *items;
        /* Of lists that are newest first: whatever will ever stand before it was there before the fetch. */
        struct position settled;
};

struct page_source {
        const char *filter; /* names the list for its cursors */
        bool newest_first;
        /* Fewer refs than scan->limit: there are no more. It need not heed scan->except. */
        sn_status (*fetch)(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out);
        /* Whether the list shows what was written by somebody to whom the actor has this relation; NULL: whoever it is.
         */
        bool (*admits)(const void *context, const Follow__Relationship *author);
        /* Of whom the source has found out by itself that it admits them: nobody is asked again. NULL: of nobody. */
        const char *admitted;
        /* Those of the items that the actor may see, in the order asked. They have a field "id". */
        sn_status (*show)(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                          ProtobufCMessage ***items);
        /* The position of an item, for `after` with an id; NULL: the id itself is the position. */
        sn_status (*locate)(struct rpc_call *c, void *context, struct position *at);
        void *context;
};

struct page {
        size_t n;
        ProtobufCMessage **items;
        char *next_cursor; /* "": the end, and always when newer items were asked for */
        char *prev_cursor; /* "": an empty list, or one that is oldest first */
};

/* Takes as long as it takes to fill the page: SN_DEADLINE_EXCEEDED, never a page that says how much was hidden. */
SN_CHECKED sn_status page_read(struct rpc_call *c, const struct page_source *source, const struct page_asked *asked,
                               struct page *out);

struct db_tx;
/* Rows beyond the scan's position, at most its limit, in order of their field "id". */
typedef sn_status (*page_rows_read)(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                                    ProtobufCMessage ***rows);
/* A page of a list that is newest first and whose rows are for whoever may ask: they are shown as read gives them. */
SN_CHECKED sn_status page_read_rows(struct rpc_call *c, const char *filter, page_rows_read read, const void *context,
                                    const struct page_asked *asked, struct page *out);

/* Into an answer with the fields items, next_cursor and prev_cursor. */
#define PAGE_ANSWER(out, page)                                                                                         \
        do {                                                                                                           \
                (out)->n_items = (page)->n;                                                                            \
                (out)->items = (void *)(page)->items;                                                                  \
                (out)->next_cursor = (page)->next_cursor;                                                              \
                (out)->prev_cursor = (page)->prev_cursor;                                                              \
        } while (0)

/* From what note_service lists. */
void page_refs_of_notes(struct arena *arena, Note__NoteRef *const *notes, size_t n, struct page_refs *out);
/* For admits: who neither blocks nor is blocked. */
bool page_admits_unblocked(const void *context, const Follow__Relationship *author);

#endif
