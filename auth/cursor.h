/* Cursors: positions in a list, encrypted and bound to method, filter and actor. Clients cannot read them, and a
 * cursor that was altered, or belongs to another list or member, is rejected. */
#ifndef AUTH_CURSOR_H
#define AUTH_CURSOR_H

#include "base/call.h"

/* The position of an item in its list. */
struct position {
        int64_t sort_key;   /* what the list is sorted by, or 0 if it is sorted by ID only */
        char id[UUID_SIZE]; /* "" if the key is sufficient, or at the start of the list */
};

/* The text of a cursor is shorter than 2,048 characters. */
#define CURSOR_SEEN_MAX   240
#define CURSOR_PRINT_BITS 48

struct cursor {
        struct position at;
        uint64_t began;                 /* uuid_start of the first item of the first page; 0: unknown */
        size_t n_seen;                  /* at most CURSOR_SEEN_MAX */
        uint64_t seen[CURSOR_SEEN_MAX]; /* fingerprints, of CURSOR_PRINT_BITS, of items beyond the position that were
                                           already shown */
};

/* filter: what else identifies the list ("hashtag:cats"), or "". Opaque base64url text in the call's arena: 76
 * characters, plus 8 for each item seen. Equal cursors have equal texts, so that entity tags of pages are stable. */
char *cursor_encode(struct rpc_call *c, const char *filter, const struct cursor *cursor);
/* "" or NULL is the start of the list (all zero). SN_INVALID_ARGUMENT (cursor_invalid) on the given field of the
 * request if the text was not issued for this list and this member; the cursor is then all zero. */
SN_CHECKED sn_status cursor_decode(struct rpc_call *c, const char *filter, const char *field, const char *text,
                                   struct cursor *cursor);

#endif
