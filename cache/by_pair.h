/* Flags by pair: a memo of what one member is to another, or did with a note, read in batches. */
#ifndef CACHE_BY_PAIR_H
#define CACHE_BY_PAIR_H

#include "cache/memo.h"
#include "cache/read_from.h"
#include "db/db.h"

struct by_pair {
        const char *name; /* in metrics */
        /* flags[i] of (viewers[i], others[i]); n of them in one query. */
        sn_status (*load)(struct db_tx *tx, char **viewers, char **others, size_t n, unsigned *flags);
        unsigned unknown;  /* the flags of what memory does not have, when only that is asked */
        struct memo *memo; /* NULL until by_pair_start */
};

SN_CHECKED sn_status by_pair_start(struct by_pair *b, size_t max_bytes);
void by_pair_stop(struct by_pair *b);

/* flags[i] of (viewers[i], others[i]); 0 for a viewer "". */
SN_CHECKED sn_status by_pair_get(struct rpc_call *c, struct by_pair *b, enum read_from from, char *const *viewers,
                                 char *const *others, size_t n, unsigned *flags);
/* n times the same viewer. */
char **by_pair_viewers(struct arena *arena, const char *viewer, size_t n);
/* The pair changes in this transaction: dropped when it ends. One direction. */
void by_pair_changed(struct by_pair *b, struct db_tx *tx, const char *viewer, const char *other);

#endif
