/* Owns the memo of authors. */
#include "services/user/authors.h"

#include "cache/memo.h"
#include "cache/message.h"
#include "services/user/store.h"

static struct memo *authors;
static User__Author nobody = USER__AUTHOR__INIT; /* read-only */

sn_status authors_start(size_t max_bytes)
{
        authors = memo_new("authors", max_bytes);
        return authors != NULL ? SN_OK : SN_INTERNAL;
}

void authors_stop(void)
{
        memo_free(authors);
        authors = NULL;
}

void authors_forget(void)
{
        memo_clear(authors);
}

static void remember(const User__Author *row, uint64_t ticket)
{
        struct memo_message *message = memo_message_new(&row->base);
        uint8_t key[16];

        if (message != NULL) {
                uuid_to_bytes(row->id, key);
                memo_put(authors, key, sizeof(key), ticket, message);
                memo_unref(message);
        }
}

static sn_status load_missing(struct rpc_call *c, char **ids, User__Author **items, const size_t *missing, const uint64_t *tickets, size_t n)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        char **wanted = ARENA_ARRAY(c->arena, char *, n);
        User__Author **rows = NULL;
        size_t n_rows = 0;

        for (size_t i = 0; i < n; i++) {
                wanted[i] = ids[missing[i]];
        }
        TRY(db_read(c, &tx));
        TRY(store_authors(tx, wanted, n, &n_rows, &rows));
        for (size_t r = 0; r < n_rows; r++) {
                bool kept = false;

                for (size_t i = 0; i < n; i++) {
                        if (!uuid_equal(rows[r]->id, wanted[i])) {
                                continue;
                        }
                        items[missing[i]] = rows[r];
                        if (!kept) {
                                remember(rows[r], tickets[i]);
                                kept = true;
                        }
                }
        }
        return SN_OK;
}

sn_status authors_get(struct rpc_call *c, char **ids, size_t n, User__Author ***items)
{
        size_t *missing = ARENA_ARRAY(c->arena, size_t, n);
        uint64_t *tickets = ARENA_ARRAY(c->arena, uint64_t, n);
        size_t n_missing = 0;

        *items = ARENA_ARRAY(c->arena, User__Author *, n);
        for (size_t i = 0; i < n; i++) {
                const struct memo_message *message = NULL;
                uint8_t key[16];

                (*items)[i] = &nobody;
                if (!uuid_to_bytes(ids[i], key)) {
                        continue;
                }
                message = memo_get(authors, c->arena, key, sizeof(key), &tickets[n_missing]);
                if (message != NULL) {
                        (*items)[i] = (User__Author *)message->message;
                } else {
                        missing[n_missing++] = i;
                }
        }
        return n_missing == 0 ? SN_OK : load_missing(c, ids, *items, missing, tickets, n_missing);
}

static void drop(void *context)
{
        memo_drop(authors, context, 16);
}

void authors_changed(struct db_tx *tx, const char *id)
{
        uint8_t *key = arena_alloc(db_arena(tx), 16);

        if (uuid_to_bytes(id, key)) {
                db_on_end(tx, drop, key);
        }
}
