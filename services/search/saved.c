/* Owns members' saved searches. */
#include "base/uuid.h"
#include "services/page.h"
#include "services/search/anchors.h"
#include "services/search/query.h"
#include "services/search/search.h"
#include "services/search/store_own.h"
#include "services/search/terms.h"
#include "services/timestamp.h"

enum { SAVED_MAX = 100 };

static sn_status check_room(struct db_tx *tx)
{
        struct rpc_call *c = db_call(tx);
        int64_t n = 0;

        TRY(db_lock_one(tx, "saved searches", c->actor));
        TRY(store_count_saved(tx, c->actor, &n));
        return n < SAVED_MAX ? SN_OK
                             : rpc_fail_code(c, SN_FAILED_PRECONDITION, "too_many_saved_searches", NULL,
                                             "you have %d saved searches already; delete one first", SAVED_MAX);
}

static void make_saved(struct rpc_call *c, const Search__SaveSearchRequest *in, const struct query *query,
                       Search__SavedSearch *out)
{
        out->id = uuid_new_in(c->arena);
        out->query = query_print(c->arena, query);
        out->name = in->name[0] != '\0' ? in->name : out->query;
        out->type = in->type != 0 ? in->type : SEARCH__SEARCH_TYPE__SEARCH_TYPE_ALL;
        out->sort = in->sort != 0 ? in->sort : SEARCH__SEARCH_SORT__SEARCH_SORT_RELEVANCE;
        out->created_at = timestamp_new(c->arena, c->now_ms);
        out->alerts = in->alerts;
}

/* Alerts are for notes only. */
static sn_status make_anchors(struct rpc_call *c, const Search__SavedSearch *search, const struct query *query,
                              char ***anchors, size_t *n)
{
        if (!search->alerts) {
                return SN_OK;
        }
        if (search->type != SEARCH__SEARCH_TYPE__SEARCH_TYPE_ALL &&
            search->type != SEARCH__SEARCH_TYPE__SEARCH_TYPE_NOTES) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "alerts", "alerts require the type all or notes");
        }
        return anchors_make(c, query, anchors, n);
}

sn_status search_handle_save_search(struct rpc_call *c, const Search__SaveSearchRequest *in, Search__SavedSearch *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct query *query;
        struct terms terms;
        char **anchors = NULL;
        size_t n_anchors = 0;

        TRY(terms_read(c, in->query, &query));
        TRY(terms_make(c, query, false, &terms)); /* it can be searched for */
        make_saved(c, in, query, out);
        TRY(make_anchors(c, out, query, &anchors, &n_anchors));
        TRY(db_begin(c, &tx));
        TRY(check_room(tx));
        TRY(store_save_search(tx, c->actor, out, anchors, n_anchors));
        return db_commit(c, &out->base, &tx);
}

static sn_status read_saved(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                            ProtobufCMessage ***rows)
{
        return store_saved(tx, db_call(tx)->actor, scan, n, (void *)rows);
}

sn_status search_handle_list_saved_searches(struct rpc_call *c, const Search__ListSavedSearchesRequest *in,
                                            Search__SavedSearchList *out)
{
        struct page page;

        TRY(page_read_rows(c, "saved_searches", read_saved, NULL, PAGE_ASKED(in, SEARCH__LIST_SAVED_SEARCHES_REQUEST),
                           &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

static sn_status delete_saved(struct db_tx *tx, const char *id)
{
        bool deleted = false;

        TRY(store_delete_saved(tx, db_call(tx)->actor, id, &deleted));
        return deleted ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "you have no saved search with this id");
}

sn_status search_handle_delete_saved_search(struct rpc_call *c, const Search__DeleteSavedSearchRequest *in,
                                            Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, delete_saved(tx, in->id));
}
