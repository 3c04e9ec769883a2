/* Owns batch reads through a memo by pair. */
#include "cache/by_pair.h"

#include <string.h>

struct pair_key {
        uint8_t viewer[16];
        uint8_t other[16];
};

sn_status by_pair_start(struct by_pair *b, size_t max_bytes)
{
        b->memo = memo_new(b->name, max_bytes);
        return b->memo != NULL ? SN_OK : SN_INTERNAL;
}

void by_pair_stop(struct by_pair *b)
{
        memo_free(b->memo);
        b->memo = NULL;
}

/* The places that the memo did not fill, with their keys and tickets. */
struct missing {
        size_t n;
        size_t *places;
        uint64_t *tickets;
        struct pair_key *keys;
        char **viewers, **others;
};

static sn_status load_missing(struct rpc_call *c, struct by_pair *b, const struct missing *missing, unsigned *flags)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        unsigned *loaded = ARENA_ARRAY(c->arena, unsigned, missing->n);

        TRY(db_read(c, &tx));
        TRY(b->load(tx, missing->viewers, missing->others, missing->n, loaded));
        for (size_t i = 0; i < missing->n; i++) {
                memo_put_number(b->memo, &missing->keys[i], sizeof(missing->keys[i]), missing->tickets[i], loaded[i]);
                flags[missing->places[i]] = loaded[i];
        }
        return SN_OK;
}

/* A note's author and its audience's owner, say, are often the same. */
static bool is_same_pair(char *const *viewers, char *const *others, size_t a, size_t b)
{
        return strcmp(others[a], others[b]) == 0 && strcmp(viewers[a], viewers[b]) == 0;
}

sn_status by_pair_get(struct rpc_call *c, struct by_pair *b, enum read_from from, char *const *viewers,
                      char *const *others, size_t n, unsigned *flags)
{
        struct missing missing = {.places = ARENA_ARRAY(c->arena, size_t, n),
                                  .tickets = ARENA_ARRAY(c->arena, uint64_t, n),
                                  .keys = ARENA_ARRAY(c->arena, struct pair_key, n),
                                  .viewers = ARENA_ARRAY(c->arena, char *, n),
                                  .others = ARENA_ARRAY(c->arena, char *, n)};
        bool hit = false;

        for (size_t i = 0; i < n; i++) {
                struct pair_key key;
                uint64_t number = 0;

                if (hit && is_same_pair(viewers, others, i, i - 1)) {
                        flags[i] = flags[i - 1];
                        continue;
                }
                flags[i] = 0;
                hit = false;
                if (!uuid_to_bytes(viewers[i], key.viewer) || !uuid_to_bytes(others[i], key.other)) {
                        continue;
                }
                hit = memo_get_number(b->memo, &key, sizeof(key), &number, &missing.tickets[missing.n]) &&
                      from != READ_FROM_DATABASE;
                if (hit) {
                        flags[i] = (unsigned)number;
                } else if (from == READ_FROM_MEMORY) {
                        flags[i] = b->unknown;
                } else {
                        missing.keys[missing.n] = key;
                        missing.viewers[missing.n] = viewers[i];
                        missing.others[missing.n] = others[i];
                        missing.places[missing.n++] = i;
                }
        }
        return missing.n == 0 ? SN_OK : load_missing(c, b, &missing, flags);
}

char **by_pair_viewers(struct arena *arena, const char *viewer, size_t n)
{
        char **viewers = ARENA_ARRAY(arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                viewers[i] = (char *)viewer;
        }
        return viewers;
}

struct dropped {
        struct by_pair *b;
        struct pair_key key;
};

static void drop(void *context)
{
        struct dropped *d = context;

        memo_drop(d->b->memo, &d->key, sizeof(d->key));
}

void by_pair_changed(struct by_pair *b, struct db_tx *tx, const char *viewer, const char *other)
{
        struct dropped *d = ARENA_NEW(db_arena(tx), struct dropped);

        d->b = b;
        if (uuid_to_bytes(viewer, d->key.viewer) && uuid_to_bytes(other, d->key.other)) {
                db_on_end(tx, drop, d);
        }
}
