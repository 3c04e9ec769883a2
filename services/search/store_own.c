/* Owns the SQL of history, suggestions and saved searches. */
#include "services/search/store_own.h"

#include "base/uuid.h"
#include "services/cleanup.h"

/* ---- History ---- */

DB_STATEMENT(KEEP_QUERY, "search_service", NULL,
             "insert into search_history (id, user_id, query_key, query) select $1, $2, $3, $4"
             " where exists (select from search_members where user_id = $2 and keeps_history)"
             " on conflict (user_id, query_key) do update set id = excluded.id, query = excluded.query,"
             " used_at = excluded.used_at");
/* What another search of the member is deleting or renewing just now is left to it. */
DB_STATEMENT(
    CUT_HISTORY, "search_service", NULL,
    "with old as materialized (select id from search_history where user_id = $1 order by id desc offset 500),"
    " free as (select h.id from search_history h join old using (id) order by h.id for update of h skip locked)"
    " delete from search_history h using free where h.id = free.id");

sn_status store_keep_query(struct db_tx *tx, const char *user_id, const char *query, const char *key)
{
        return db_exec_later(
            tx, &KEEP_QUERY,
            DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_uuid(user_id), bind_text(key), bind_text(query)));
}

sn_status store_cut_history(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &CUT_HISTORY, DB_BINDS(bind_uuid(user_id)), NULL);
}

#define HISTORY(comparison, direction)                                                                                 \
        "select id, query, used_at from search_history where user_id = $1 and id " comparison                          \
        " $2 order by id " direction " limit $3"

DB_STATEMENT(SELECT_HISTORY, "search_service", &search__search_history_item__message, HISTORY("<", "desc"));
DB_STATEMENT(SELECT_HISTORY_AFTER, "search_service", &search__search_history_item__message, HISTORY(">", "asc"));

sn_status store_history(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                        Search__SearchHistoryItem ***items)
{
        return db_list(tx, scan->newer ? &SELECT_HISTORY_AFTER : &SELECT_HISTORY,
                       DB_BINDS(bind_uuid(user_id), bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)), n,
                       items);
}

static sn_status delete_own(struct db_tx *tx, const struct db_statement *s, const char *user_id, const char *id,
                            bool *deleted)
{
        int64_t n = 0;

        TRY(db_exec(tx, s, DB_BINDS(bind_uuid(user_id), bind_uuid(id)), &n));
        *deleted = n > 0;
        return SN_OK;
}

DB_STATEMENT(DELETE_HISTORY_ITEM, "search_service", NULL, "delete from search_history where user_id = $1 and id = $2");

sn_status store_delete_history_item(struct db_tx *tx, const char *user_id, const char *id, bool *deleted)
{
        return delete_own(tx, &DELETE_HISTORY_ITEM, user_id, id, deleted);
}

DB_STATEMENT(CLEAR_HISTORY, "search_service", NULL, "delete from search_history where user_id = $1");

sn_status store_clear_history(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &CLEAR_HISTORY, DB_BINDS(bind_uuid(user_id)), NULL);
}

DB_STATEMENT(CLEANUP_HISTORY, "search_service", NULL,
             "with old as (select id from search_history where used_at < now() - interval '90 days' order by used_at"
             " limit $1 for update skip locked), gone as (delete from search_history h using old where h.id = old.id"
             " returning 1) select count(*) as most from gone");

sn_status store_cleanup_history(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_HISTORY, more);
}

/* ---- Suggestions ---- */

/* All texts with a prefix sort before the prefix followed by the last code point. */
#define STARTS_WITH(start) "query_key >= " start " and query_key < " start " || U&'\\+10FFFF'"

DB_STATEMENT(SELECT_OWN_QUERIES, "search_service", &search_rows__query__message,
             "select query from search_history where user_id = $1 and " STARTS_WITH("$2::text") " order by id desc"
                                                                                                " limit $3");

sn_status store_own_queries(struct db_tx *tx, const char *user_id, const char *start, size_t limit, size_t *n,
                            SearchRows__Query ***rows)
{
        return db_list(tx, &SELECT_OWN_QUERIES,
                       DB_BINDS(bind_uuid(user_id), bind_text(start), bind_i64((int64_t)limit)), n, rows);
}

/* For short prefixes only the first thousand are considered. In steps of fifty people: a finer order would tell when
 * one more of them asks. */
DB_STATEMENT(SELECT_COMMON_QUERIES, "search_service", &search_rows__query__message,
             "select query from (select query, query_key, people from search_suggestions where " STARTS_WITH(
                 "$1::text") " and shown_until > now() order by query_key limit 1000) s"
                             " order by people / 50 desc, query_key limit $2");

sn_status store_common_queries(struct db_tx *tx, const char *start, size_t limit, size_t *n, SearchRows__Query ***rows)
{
        return db_list(tx, &SELECT_COMMON_QUERIES, DB_BINDS(bind_text(start), bind_i64((int64_t)limit)), n, rows);
}

/* What is no longer shown is shown for another thirty days if enough people have it still, and else not until enough
 * ask again. */
DB_STATEMENT(
    RENEW_SUGGESTIONS, "search_service", NULL,
    "with due as materialized (select query_key from search_suggestions where shown_until < now()"
    " order by shown_until limit $1 for update skip locked), gone as (delete from search_suggestions"
    " where query_key = any(array(select query_key from due)) and people <= 0), kept as (update search_suggestions"
    " set shown_until = case when people >= search_people_needed(query_key) then now() + interval '30 days' end"
    " where query_key = any(array(select query_key from due)) and people > 0) select count(*) as most from due");

sn_status store_renew_suggestions(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &RENEW_SUGGESTIONS, more);
}

/* ---- Saved searches ---- */

DB_STATEMENT(INSERT_SAVED, "search_service", NULL,
             "insert into saved_searches (id, user_id, name, query, type, sort, created_at, anchors)"
             " values ($1, $2, $3, $4, $5::bigint::smallint, $6::bigint::smallint, $7, $8::text[])");

sn_status store_save_search(struct db_tx *tx, const char *user_id, const Search__SavedSearch *search, char **anchors,
                            size_t n_anchors)
{
        return db_exec(tx, &INSERT_SAVED,
                       DB_BINDS(bind_uuid(search->id), bind_uuid(user_id), bind_text(search->name),
                                bind_text(search->query), bind_i64(search->type), bind_i64(search->sort),
                                bind_time_ms(db_call(tx)->now_ms),
                                search->alerts ? bind_texts(anchors, n_anchors) : bind_null()),
                       NULL);
}

DB_STATEMENT(COUNT_SAVED, "search_service", NULL, "select count(*) as n from saved_searches where user_id = $1");

sn_status store_count_saved(struct db_tx *tx, const char *user_id, int64_t *n)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_SAVED, DB_BINDS(bind_uuid(user_id)), &rows));
        *n = db_i64(rows, 0, "n");
        return SN_OK;
}

#define SAVED(comparison, direction)                                                                                   \
        "select id, name, query, type, sort, created_at, anchors is not null as alerts from saved_searches where "     \
        "user_id = $1 and id " comparison " $2 order by id " direction " limit $3"

DB_STATEMENT(SELECT_SAVED, "search_service", &search__saved_search__message, SAVED("<", "desc"));
DB_STATEMENT(SELECT_SAVED_AFTER, "search_service", &search__saved_search__message, SAVED(">", "asc"));

sn_status store_saved(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                      Search__SavedSearch ***items)
{
        return db_list(tx, scan->newer ? &SELECT_SAVED_AFTER : &SELECT_SAVED,
                       DB_BINDS(bind_uuid(user_id), bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)), n,
                       items);
}

DB_STATEMENT(DELETE_SAVED, "search_service", NULL, "delete from saved_searches where user_id = $1 and id = $2");

sn_status store_delete_saved(struct db_tx *tx, const char *user_id, const char *id, bool *deleted)
{
        return delete_own(tx, &DELETE_SAVED, user_id, id, deleted);
}

DB_STATEMENT(ERASE_SAVED, "search_service", NULL, "delete from saved_searches where user_id = $1");

sn_status store_erase_saved(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &ERASE_SAVED, DB_BINDS(bind_uuid(user_id)), NULL);
}
