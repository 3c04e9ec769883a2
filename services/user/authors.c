/* Owns the cache of authors. */
#include "services/user/authors.h"

#include "cache/message.h"
#include "json/json.h"
#include "services/user/store.h"

static User__Author no_author = USER__AUTHOR__INIT; /* read-only */

static size_t keep_json(ProtobufCMessage *row)
{
        return json_keep(&user__author__message, row);
}

static sn_status fill_authors(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        User__Author **authors = NULL;
        size_t n_authors = 0;

        TRY(DB_READ(c, tx, store_authors(tx, cache_ids(c->arena, missing, n), n, &n_authors, &authors)));
        for (size_t i = 0; i < n_authors; i++) {
                TRY(cache_fill_shown_message(c, missing, n, authors[i]->id, &authors[i]->base, keep_json));
        }
        return SN_OK;
}

static struct cache authors = {.name = "authors", .fill = fill_authors};

sn_status authors_start(size_t max_bytes)
{
        return cache_start(&authors, max_bytes);
}

void authors_stop(void)
{
        cache_stop(&authors);
}

sn_status authors_get(struct rpc_call *c, char **ids, size_t n, User__Author ***items)
{
        *items = ARENA_ARRAY(c->arena, User__Author *, n);
        TRY(cache_get_messages(c, &authors, READ_FROM_ANYWHERE, ids, n, *items));
        for (size_t i = 0; i < n; i++) {
                if ((*items)[i] == NULL) {
                        (*items)[i] = &no_author;
                }
        }
        return SN_OK;
}

void authors_changed(struct db_tx *tx, const char *id)
{
        cache_changed(&authors, tx, (struct cache_key){.id = id});
}

void authors_changed_outside(const char *id)
{
        cache_drop(&authors, (struct cache_key){.id = id});
}
