/* Owns which notes and experiments events may refer to: notes that the sender can see, so that nobody can learn from
 * their own profile who wrote a hidden note, or add to its views; and experiments that the sender takes part in, since
 * results count no others (store_results.c). If a service or the database does not answer in time, all are allowed:
 * this check never holds up events. */
#include "services/analytics/subjects.h"

#include <stdlib.h>
#include <string.h>
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/events.h"
#include "services/analytics/store_experiments.h"
#include "services/note/note.rpc.h"

#define WAIT_MS 500

static bool is_exposure(const AnalyticsRows__TakenEvent *event)
{
        return strcmp(event->name, "experiment_seen") == 0;
}

static bool is_view(const AnalyticsRows__TakenEvent *event)
{
        return strcmp(event->name, "note_view") == 0 && event->object_id[0] != '\0';
}

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Collects the object ids of the events of this kind, sorted and without duplicates. */
static size_t find_ids(struct arena *arena, AnalyticsRows__TakenEvent *const *events, size_t n,
                       bool (*is_kind)(const AnalyticsRows__TakenEvent *event), char ***ids)
{
        size_t found = 0, kept = 0;

        *ids = ARENA_ARRAY(arena, char *, n + 1);
        for (size_t i = 0; i < n; i++) {
                if (is_kind(events[i])) {
                        (*ids)[found++] = events[i]->object_id;
                }
        }
        qsort(*ids, found, sizeof(**ids), compare);
        for (size_t i = 0; i < found; i++) {
                if ((*ids)[i][0] != '\0' && (kept == 0 || strcmp((*ids)[kept - 1], (*ids)[i]) != 0)) {
                        (*ids)[kept++] = (*ids)[i];
                }
        }
        return kept;
}

/* ---- Notes ---- */

static void check_views(struct rpc_call *c, AnalyticsRows__TakenEvent *const *events, size_t n, enum subject *out)
{
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;
        Note__Notes notes = NOTE__NOTES__INIT;

        in.viewer_id = (char *)c->actor;
        in.n_ids = find_ids(c->arena, events, n, is_view, &in.ids);
        if (in.n_ids == 0) {
                return;
        }
        CLEANUP(rpc_call_free_p) struct rpc_call *asking = rpc_call_new_background(c->service, WAIT_MS);

        if (note_batch_get(asking, &in, &notes) != SN_OK) {
                return;
        }
        char **seen = ARENA_ARRAY(c->arena, char *, notes.n_items + 1);
        for (size_t i = 0; i < notes.n_items; i++) {
                seen[i] = notes.items[i]->id;
        }
        qsort(seen, notes.n_items, sizeof(*seen), compare);
        for (size_t i = 0; i < n; i++) {
                if (is_view(events[i]) &&
                    bsearch(&events[i]->object_id, seen, notes.n_items, sizeof(*seen), compare) == NULL) {
                        out[i] = SUBJECT_NO_NOTE;
                }
        }
}

/* ---- Experiments ---- */

/* Device clocks may be ahead by as much as events may be. */
static bool is_of(const AnalyticsRows__TakenEvent *event, const stored_experiment *e)
{
        return uuid_equal(e->id, event->object_id) && event->at_ms + EVENT_AHEAD_MS >= e->started_at->seconds * 1000 &&
               (e->stopped_at == NULL || event->at_ms <= e->stopped_at->seconds * 1000 + EVENT_AHEAD_MS);
}

static bool is_of_any(const AnalyticsRows__TakenEvent *event, stored_experiment *const *mine, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (is_of(event, mine[i])) {
                        return true;
                }
        }
        return false;
}

static void refuse_exposures(AnalyticsRows__TakenEvent *const *events, size_t n, stored_experiment *const *mine,
                             size_t n_mine, enum subject *out)
{
        for (size_t i = 0; i < n; i++) {
                if (is_exposure(events[i]) && !is_of_any(events[i], mine, n_mine)) {
                        out[i] = SUBJECT_NO_EXPERIMENT;
                }
        }
}

static void check_exposures(struct rpc_call *c, AnalyticsRows__TakenEvent *const *events, size_t n, enum subject *out)
{
        char **ids = NULL;
        size_t n_ids = find_ids(c->arena, events, n, is_exposure, &ids), n_mine = 0;
        stored_experiment **mine = NULL;

        if (n_ids == 0 || c->actor[0] == '\0') {
                refuse_exposures(events, n, NULL, 0, out);
                return;
        }
        CLEANUP(rpc_call_free_p) struct rpc_call *asking = rpc_call_new_background(c->service, WAIT_MS);

        if (DB_READ(asking, tx, store_experiments_of(tx, c->actor, ids, n_ids, &n_mine, &mine)) == SN_OK) {
                refuse_exposures(events, n, mine, n_mine, out);
        }
}

void subjects_check(struct rpc_call *c, AnalyticsRows__TakenEvent *const *events, size_t n, enum subject *out)
{
        check_views(c, events, n, out);
        check_exposures(c, events, n, out);
}
