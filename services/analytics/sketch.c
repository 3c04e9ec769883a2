/* Makes the sketches of past days, one at a time, from all events of the day stored by then. After late events a sketch
 * is remade, but only if they are from enough people, and from none or enough who are not in it yet, so that two
 * answers do not differ by a few people. A crash at any point leaves the previous sketch. */
#include "services/analytics/analytics.h"

#include "services/analytics/events.h"
#include "services/analytics/store.h"
#include "services/analytics/store_sketches.h"

/* Adds one page of people, with its own memory. last: the last one of the page. */
static sn_status add_page(struct service *service, const sketch_of *of, int64_t to_ms, char last[UUID_SIZE],
                          struct sketch *sketch, bool *more)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, 30000);
        AnalyticsRows__SketchedPerson **people = NULL;
        uint8_t visitor[16];
        size_t n = 0;

        TRY(DB_READ(c, tx, store_sketched_people(tx, of, to_ms, last, &n, &people)));
        for (size_t i = 0; i < n && uuid_to_bytes(people[i]->visitor, visitor); i++) {
                hll_add(&sketch->people, hll_hash(visitor));
                if (of->property[0] != '\0') {
                        tdigest_add(&sketch->numbers, people[i]->value);
                }
                (void)uuid_from_bytes(visitor, last);
        }
        sketch->n_people += (int64_t)n;
        *more = n == SKETCH_PAGE;
        return SN_OK;
}

static sn_status make_sketch(struct rpc_call *c, const sketch_of *of, int64_t to_ms)
{
        struct sketch *sketch = ARENA_NEW(c->arena, struct sketch);
        char last[UUID_SIZE] = "";
        bool more = true;

        while (more) {
                TRY(add_page(c->service, of, to_ms, last, sketch, &more));
        }
        return DB_WRITE(c, tx, store_save_sketch(tx, of, to_ms, sketch));
}

static bool may_change(const struct late_people *p)
{
        int64_t min = analytics_min_group();

        return !p->has_sketch || (p->late >= min && (p->joined == 0 || p->joined >= min));
}

static sn_status make_or_keep(struct rpc_call *c, const sketch_of *of)
{
        struct late_people people = {0};
        int64_t to_ms = 0;

        TRY(DB_WRITE(c, tx, store_moment(tx, &to_ms)));
        TRY(DB_READ(c, tx, store_late_people(tx, of, to_ms, &people)));
        return may_change(&people) ? make_sketch(c, of, to_ms) : DB_WRITE(c, tx, store_keep_sketch(tx, of));
}

static sn_status make_due(struct rpc_call *c, bool *more)
{
        sketch_of due = ANALYTICS_ROWS__SKETCH__INIT;
        char **events = NULL, **properties = NULL;
        size_t n = event_numbers(c->arena, &events, &properties);

        TRY(DB_READ(c, tx, store_due_sketch(tx, events, properties, n, analytics_keep_months() - 1, &due, more)));
        return *more ? make_or_keep(c, &due) : SN_OK;
}

const struct service_job analytics_sketch = {.name = "sketch_days", .every_s = 300, .run = make_due};
