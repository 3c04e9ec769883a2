/* Cursors: keyset positions (sort key, id) under an HMAC over method, filter and actor: what was altered, or belongs to
 * another list or another member, is refused. */
#ifndef AUTH_CURSOR_H
#define AUTH_CURSOR_H

#include "base/call.h"

struct cursor {
        int64_t sort_key;   /* what the list is sorted by, or 0 when the id alone sorts it */
        char id[UUID_SIZE]; /* the last item that was given */
};

/* filter: what else names the list ("hashtag:cats"), or "". Opaque base64url text in the call's arena. */
char *cursor_encode(struct rpc_call *c, const char *filter, const struct cursor *position);
/* "" or NULL gives the start (id ""). SN_INVALID_ARGUMENT on field "cursor" with code cursor_invalid otherwise. */
SN_CHECKED sn_status cursor_decode(struct rpc_call *c, const char *filter, const char *text, struct cursor *position);

#endif
