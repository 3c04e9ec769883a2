/* Owns authors' statistics of their notes and followers. New views are grouped into spans of enough people when an
 * author asks, and spans never change afterwards: later views wait until there are enough for the next span. */
#include "services/analytics/insights.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/analytics.h"
#include "services/analytics/store_insights.h"
#include "services/analytics/suppress.h"
#include "services/analytics/visitor.h"
#include "services/note/note.rpc.h"

#define SOURCES_MAX 6

/* ---- Counting new views ---- */

static size_t find_spans(struct arena *arena, AnalyticsRows__NoteHour *const *rows, size_t n, int64_t min,
                         struct span *spans)
{
        struct span_hour *hours = ARENA_ARRAY(arena, struct span_hour, n + 1);

        for (size_t i = 0; i < n; i++) {
                hours[i] = (struct span_hour){rows[i]->at->seconds * 1000, rows[i]->people, rows[i]->some};
        }
        return spans_of(arena, hours, n, min, spans);
}

/* Keeps the sources of a span that may be shown. The first cell is the total. */
static size_t keep_sources(AnalyticsRows__NoteCell **cells, size_t n, int64_t min, AnalyticsRows__NoteCell **out)
{
        int64_t people[SOURCES_MAX] = {0};
        bool hidden[SOURCES_MAX] = {false};
        size_t n_out = 0;

        for (size_t i = 0; i < n; i++) {
                people[i] = cells[i]->views > 0 && cells[i]->people == 0 ? 1 : cells[i]->people;
        }
        suppress_small(people, n, min, hidden);
        for (size_t i = 0; i < n; i++) {
                if (!hidden[i] && people[i] > 0) {
                        out[n_out++] = cells[i];
                }
        }
        return n_out;
}

static size_t keep_cells(AnalyticsRows__NoteCell **cells, size_t n, int64_t min, AnalyticsRows__NoteCell **out)
{
        size_t n_out = 0;

        for (size_t first = 0, end; first < n; first = end) {
                end = first + 1;
                while (end < n && cells[end]->source[0] != '\0') {
                        end++;
                }
                out[n_out++] = cells[first];
                n_out += keep_sources(cells + first + 1, end - first - 1, min, out + n_out);
        }
        return n_out;
}

sn_status insights_count_new(struct db_tx *tx, const char *note_id, const char *author, int64_t min)
{
        struct arena *arena = db_arena(tx);
        AnalyticsRows__NoteHour **hours = NULL;
        AnalyticsRows__NoteCell **cells = NULL;
        size_t n_hours = 0, n_cells = 0;

        TRY(store_untold_hours(tx, note_id, author, min, &n_hours, &hours));
        struct span *spans = ARENA_ARRAY(arena, struct span, n_hours + 1);
        size_t n_spans = find_spans(arena, hours, n_hours, min, spans);

        if (n_spans == 0) {
                return SN_OK;
        }
        TRY(store_span_cells(tx, note_id, spans, n_spans, &n_cells, &cells));
        AnalyticsRows__NoteCell **kept = ARENA_ARRAY(arena, AnalyticsRows__NoteCell *, n_cells + 1);

        return store_tell_cells(tx, note_id, kept, keep_cells(cells, n_cells, min, kept));
}

/* ---- One note ---- */

static sn_status find_own_note(struct rpc_call *c, char *id, Note__Note **note)
{
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;
        Note__Notes notes = NOTE__NOTES__INIT;

        in.viewer_id = (char *)c->actor;
        in.ids = &id;
        in.n_ids = 1;
        TRY(note_batch_get(c, &in, &notes));
        if (notes.n_items == 0 || !uuid_equal(notes.items[0]->author->id, c->actor)) {
                return rpc_fail(c, SN_NOT_FOUND, "id", "you have no note with this id");
        }
        *note = notes.items[0];
        return SN_OK;
}

static void show_insights(const AnalyticsRows__NotePerformance *p, const Note__Note *note,
                          AnalyticsInsights__NoteInsights *out)
{
        if (p->views == 0) {
                return;
        }
        out->views_shown_case = ANALYTICS_INSIGHTS__NOTE_INSIGHTS__VIEWS_SHOWN_VIEWS;
        out->views = p->views;
        out->engagements_shown_case = ANALYTICS_INSIGHTS__NOTE_INSIGHTS__ENGAGEMENTS_SHOWN_ENGAGEMENTS;
        out->engagements = p->engagements;
        out->reach_shown_case = ANALYTICS_INSIGHTS__NOTE_INSIGHTS__REACH_SHOWN_REACH;
        out->reach = p->reach / analytics_min_group() * analytics_min_group();
        out->half_life_shown_case = ANALYTICS_INSIGHTS__NOTE_INSIGHTS__HALF_LIFE_SHOWN_HALF_LIFE_S;
        out->half_life_s = p->half_at != NULL ? p->half_at->seconds - note->created_at->seconds : 0;
}

static sn_status read_note(struct db_tx *tx, const Note__Note *note, AnalyticsInsights__NoteInsights *out)
{
        AnalyticsRows__NotePerformance p = ANALYTICS_ROWS__NOTE_PERFORMANCE__INIT;

        TRY(insights_count_new(tx, note->id, note->author->id, analytics_min_group()));
        TRY(store_performance(tx, note->id, &p));
        TRY(store_points(tx, note->id, &out->n_points, &out->points));
        TRY(store_sources(tx, note->id, &out->n_sources, &out->sources));
        show_insights(&p, note, out);
        return SN_OK;
}

sn_status analytics_handle_get_note_insights(struct rpc_call *c, const AnalyticsInsights__NoteInsightsRequest *in,
                                             AnalyticsInsights__NoteInsights *out)
{
        Note__Note *note = NULL;

        TRY(find_own_note(c, in->id, &note));
        out->note_id = note->id;
        return DB_WRITE(c, tx, read_note(tx, note, out));
}

/* ---- The member's own profile ---- */

static sn_status read_notes(struct db_tx *tx, char **ids, size_t n, AnalyticsInsights__MyInsights *out)
{
        out->best_hours = ARENA_ARRAY(db_arena(tx), uint32_t, 3);
        TRY(store_best_hours(tx, ids, n, &out->n_best_hours, out->best_hours));
        return store_best_notes(tx, ids, n, &out->n_best_notes, &out->best_notes);
}

sn_status analytics_handle_get_my_insights(struct rpc_call *c, const AnalyticsInsights__MyInsightsRequest *in,
                                           AnalyticsInsights__MyInsights *out)
{
        int64_t days = in->days > 0 ? in->days : 28, since_ms = (day_of(c->now_ms) + 1 - days) * DAY_MS;
        AnalyticsRows__NotePerformance **notes = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_own_notes(tx, c->actor, since_ms, &n, &notes)));
        char **ids = ARENA_ARRAY(c->arena, char *, n + 1);
        for (size_t i = 0; i < n; i++) {
                ids[i] = notes[i]->note_id;
                TRY(DB_WRITE(c, tx, insights_count_new(tx, ids[i], c->actor, analytics_min_group())));
        }
        TRY(DB_READ(c, tx, store_follower_days(tx, c->actor, since_ms, &out->n_followers, &out->followers)));
        return DB_READ(c, tx, read_notes(tx, ids, n, out));
}
