/* Owns recording searches: the caller's history, and counts. Queries that too few people have in their histories are
 * not counted at all. */
#include "services/search/asked.h"

#include "base/buf.h"
#include "base/clock.h"
#include "services/jobs.h"
#include "services/page.h"
#include "services/search/history.h"
#include "services/search/store_analytics.h"

enum { DAYS = 7 };

const char *asked_key(struct arena *arena, const char *query)
{
        struct str rest = str_of(query), word;
        struct buf out;

        buf_init(&out, 64 * 1024);
        while (str_next(&rest, ' ', &word)) {
                buf_append_c(&out, str_equal(word, STR("OR")) ? "OR" : lexeme_fold(arena, str_dup(arena, word)));
                buf_append_c(&out, word.ptr[word.len] == ' ' ? " " : ""); /* also after the last one: it is complete */
        }
        char *key = arena_strndup(arena, out.data != NULL ? out.data : "", out.len);
        buf_free(&out);
        return key;
}

static sn_status record_search(struct db_tx *tx, const struct search *search, int64_t took_ms, Search__SearchPage *out)
{
        const char *key = asked_key(db_arena(tx), search->text);

        TRY(history_keep(tx, search->text, key));
        return store_count_search(tx, key, out->n_items == 0, took_ms, (const char **)&out->search_id);
}

sn_status asked_record(struct rpc_call *c, const struct search *search, int64_t began_us, Search__SearchPage *out)
{
        int64_t took_ms = (clock_monotonic_us() - began_us) / 1000;

        TRY(DB_WRITE(c, tx, record_search(tx, search, took_ms, out)));
        return history_cut(c);
}

sn_status search_handle_record_search_click(struct rpc_call *c, const Search__RecordSearchClickRequest *in,
                                            Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_count_click(tx, in->search_id, in->position));
}

sn_status search_handle_get_search_analytics(struct rpc_call *c, const Search__GetSearchAnalyticsRequest *in,
                                             Search__SearchAnalytics *out)
{
        int64_t days = in->days != 0 ? in->days : DAYS;

        return DB_READ(c, tx, store_search_analytics(tx, in, days, page_limit(in->limit), &out->n_items, &out->items));
}

const struct service_job search_asked = {
    .name = "cleanup_search_analytics", .every_s = 3600, .run = store_cleanup_analytics};
