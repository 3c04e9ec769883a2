/* Owns trends: hashtags and links that more people use than usual, and notes that more people react to. The score is
 * the square of the number of people in the last 24 hours (recent ones weigh more), divided by one plus their average
 * number per day in the week before. */
#include "services/search/find.h"

#include <string.h>
#include "base/text.h"
#include "base/uuid.h"
#include "services/jobs.h"
#include "services/search/lexemes.h"
#include "services/search/store_trends.h"

enum { PEOPLE_MIN = 5 };

#define NOTE_TOPIC ":note:"

static Search__Trend *append_trend(struct rpc_call *c, const SearchRows__Trend *row, Search__Trends *out)
{
        Search__Trend *trend = ARENA_NEW(c->arena, Search__Trend);

        search__trend__init(trend);
        trend->people = row->people;
        trend->usual = row->usual;
        out->items[out->n_items++] = trend;
        return trend;
}

/* Shows only topics with a note that the reader may see. */
static sn_status show_words(struct rpc_call *c, SearchRows__Trend *const *rows, size_t n, size_t limit,
                            Search__Trends *out)
{
        for (size_t i = 0; i < n && out->n_items < limit; i++) {
                bool may = false, link = rows[i]->topic[0] == '/';
                Search__Trend *trend;

                TRY(find_may_see(c, rows[i]->topic, rows[i]->notes, &may));
                if (may) {
                        trend = append_trend(c, rows[i], out);
                        trend->item_case = link ? SEARCH__TREND__ITEM_LINK : SEARCH__TREND__ITEM_HASHTAG;
                        trend->link = rows[i]->topic + 1; /* in a union with the hashtag */
                }
        }
        return SN_OK;
}

static sn_status show_notes(struct rpc_call *c, SearchRows__Trend *const *rows, size_t n, size_t limit,
                            Search__Trends *out)
{
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;
        Note__Notes notes = NOTE__NOTES__INIT;

        in.viewer_id = (char *)c->actor;
        in.hide_muted = true;
        in.ids = ARENA_ARRAY(c->arena, char *, n);
        for (; in.n_ids < n; in.n_ids++) {
                in.ids[in.n_ids] = rows[in.n_ids]->topic + strlen(NOTE_TOPIC);
        }
        TRY(note_batch_get(c, &in, &notes));
        for (size_t i = 0, k = 0; i < notes.n_items && out->n_items < limit; i++, k++) { /* in the order requested */

                while (!uuid_equal(in.ids[k], notes.items[i]->id)) {
                        k++;
                }
                Search__Trend *trend = append_trend(c, rows[k], out);
                trend->item_case = SEARCH__TREND__ITEM_NOTE;
                trend->note = notes.items[i];
        }
        return SN_OK;
}

sn_status search_handle_list_trends(struct rpc_call *c, const Search__ListTrendsRequest *in, Search__Trends *out)
{
        static const char *const signs[] = {"#", "#", ":", "/"}; /* indexed by TrendType */
        size_t limit = page_limit(in->limit), n = 0;
        SearchRows__Trend **rows = NULL;

        TRY(DB_READ(c, tx, store_trends(tx, signs[in->type], &n, &rows)));
        out->items = ARENA_ARRAY(c->arena, Search__Trend *, n);
        return in->type == SEARCH__TREND_TYPE__TREND_TYPE_NOTES ? show_notes(c, rows, n, limit, out)
                                                                : show_words(c, rows, n, limit, out);
}

/* ---- Hiding ---- */

static const char *topic_of(struct rpc_call *c, const char *trend)
{
        char *link = lexeme_link(c->arena, str_of(trend));

        if (uuid_valid(trend)) {
                return arena_printf(c->arena, NOTE_TOPIC "%s", trend);
        }
        return link != NULL
                   ? link
                   : arena_printf(c->arena, "#%s", text_casefold_nfkc(c->arena, trend[0] == '#' ? trend + 1 : trend));
}

sn_status search_handle_hide_trend(struct rpc_call *c, const Search__HideTrendRequest *in, Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_hide_trend(tx, topic_of(c, in->trend)));
}

sn_status search_handle_unhide_trend(struct rpc_call *c, const Search__UnhideTrendRequest *in,
                                     Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_show_trend(tx, topic_of(c, in->trend)));
}

/* Only one process at a time. */
static sn_status make_once(struct db_tx *tx)
{
        TRY(db_lock_one(tx, "trends", ""));
        return store_make_trends(tx, PEOPLE_MIN);
}

static sn_status make_trends(struct rpc_call *c, bool *more)
{
        TRY(DB_WRITE(c, tx, make_once(tx)));
        return store_cleanup_uses(c, more);
}

const struct service_job search_trends = {.name = "make_trends", .every_s = 60, .run = make_trends};
