/* Cursors: positions in a list, encrypted, and bound to method, filter and actor: nobody reads what stands in one, and
 * what was altered, or belongs to another list or another member, is refused. */
#ifndef AUTH_CURSOR_H
#define AUTH_CURSOR_H

#include "base/call.h"

/* Where an item stands in its list. */
struct position {
        int64_t sort_key;   /* what the list is sorted by, or 0 when the id alone sorts it */
        char id[UUID_SIZE]; /* "" when the key alone tells, or at the start of the list */
};

/* The text of a cursor stays below 2,048 characters. */
#define CURSOR_SEEN_MAX   240
#define CURSOR_PRINT_BITS 48

struct cursor {
        struct position at;
        uint64_t began;                 /* uuid_start of the item with which the first page began; 0: it was not told */
        size_t n_seen;                  /* at most CURSOR_SEEN_MAX */
        uint64_t seen[CURSOR_SEEN_MAX]; /* fingerprints of items beyond the position that were shown already, of
                                           CURSOR_PRINT_BITS */
};

/* filter: what else names the list ("hashtag:cats"), or "". Opaque base64url text in the call's arena: 76 characters,
 * and 8 for each item seen. Equal cursors give equal texts, so that the entity tag of a page holds. */
char *cursor_encode(struct rpc_call *c, const char *filter, const struct cursor *cursor);
/* "" or NULL gives the start of the list (all zero). SN_INVALID_ARGUMENT on the given field of the request, with the
 * code cursor_invalid, when the text was not made for this list and this member; the cursor is then all zero. */
SN_CHECKED sn_status cursor_decode(struct rpc_call *c, const char *filter, const char *field, const char *text,
                                   struct cursor *cursor);

#endif
