/* Owns trends: hashtags that more people use than usual. A score is the square of how many used it in the last 24
 * hours, divided by one more than how many do on a usual day of the week before. */
#include "services/search/find.h"

#include "base/text.h"
#include "services/jobs.h"
#include "services/search/store_trends.h"

enum { PEOPLE_MIN = 5 };

sn_status search_handle_list_trends(struct rpc_call *c, const Search__ListTrendsRequest *in, Search__Trends *out)
{
        size_t limit = page_limit(in->limit), n = 0;
        Search__Trend **rows = NULL;

        TRY(DB_READ(c, tx, store_trends(tx, &n, &rows)));
        out->items = ARENA_ARRAY(c->arena, Search__Trend *, n);
        for (size_t i = 0; i < n && out->n_items < limit; i++) {
                bool may = false;

                TRY(find_may_see_hashtag(c, rows[i]->hashtag, &may));
                if (may) {
                        out->items[out->n_items++] = rows[i];
                }
        }
        return SN_OK;
}

static const char *key_of(struct rpc_call *c, const char *hashtag)
{
        return text_casefold_nfkc(c->arena, hashtag[0] == '#' ? hashtag + 1 : hashtag);
}

sn_status search_handle_hide_trend(struct rpc_call *c, const Search__HideTrendRequest *in, Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_hide_trend(tx, key_of(c, in->hashtag)));
}

sn_status search_handle_unhide_trend(struct rpc_call *c, const Search__UnhideTrendRequest *in,
                                     Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_show_trend(tx, key_of(c, in->hashtag)));
}

/* One at a time, of all instances. */
static sn_status make(struct db_tx *tx)
{
        TRY(db_lock_one(tx, "trends", ""));
        return store_make_trends(tx, PEOPLE_MIN);
}

static sn_status make_trends(struct rpc_call *c, bool *more)
{
        TRY(DB_WRITE(c, tx, make(tx)));
        return store_cleanup_tag_uses(c, more);
}

const struct service_job search_trends = {.name = "make_trends", .every_s = 60, .run = make_trends};
