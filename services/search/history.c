/* Owns search histories: private to each member, and kept for 90 days. */
#include "services/search/history.h"

#include "services/page.h"
#include "services/search/lexemes.h"
#include "services/search/search.h"
#include "services/search/store_own.h"

sn_status history_keep(struct db_tx *tx, const char *query, const char *key)
{
        const char *actor = db_call(tx)->actor;

        return actor[0] != '\0' ? store_keep_query(tx, actor, query, key) : SN_OK;
}

sn_status history_cut(struct rpc_call *c)
{
        return c->actor[0] != '\0' ? DB_WRITE(c, tx, store_cut_history(tx, c->actor)) : SN_OK;
}

static sn_status read_history(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                              ProtobufCMessage ***rows)
{
        return store_history(tx, db_call(tx)->actor, scan, n, (void *)rows);
}

sn_status search_handle_list_search_history(struct rpc_call *c, const Search__ListSearchHistoryRequest *in,
                                            Search__SearchHistory *out)
{
        struct page page;

        TRY(page_read_rows(c, "search_history", read_history, NULL, PAGE_ASKED(in, SEARCH__LIST_SEARCH_HISTORY_REQUEST),
                           &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

static sn_status delete_item(struct db_tx *tx, const char *id)
{
        bool deleted = false;

        TRY(store_delete_history_item(tx, db_call(tx)->actor, id, &deleted));
        return deleted ? SN_OK
                       : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "there is no query with this id in your history");
}

sn_status search_handle_delete_search_history_item(struct rpc_call *c, const Search__DeleteSearchHistoryItemRequest *in,
                                                   Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, delete_item(tx, in->id));
}

sn_status search_handle_clear_search_history(struct rpc_call *c, const Search__ClearSearchHistoryRequest *in,
                                             Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_clear_history(tx, c->actor));
}

static sn_status cleanup_some(struct rpc_call *c, bool *more)
{
        bool old = false, due = false;

        TRY(store_cleanup_history(c, &old));
        TRY(store_renew_suggestions(c, &due));
        *more = old || due;
        return SN_OK;
}

const struct service_job search_history = {.name = "cleanup_search_history", .every_s = 3600, .run = cleanup_some};
