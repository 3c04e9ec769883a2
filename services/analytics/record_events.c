/* Accepts events: drops those of members who do not consent, reports those that are not declared, or refer to something
 * that the sender cannot see, and appends the rest to the journal. It does not need the database, so that a slow or
 * unreachable one delays nobody. */
#include "services/analytics/analytics.h"

#include <string.h>
#include <sys/mman.h>
#include "services/analytics/consent.h"
#include "services/analytics/events.h"
#include "services/analytics/journal.h"
#include "services/analytics/subjects.h"
#include "services/analytics/visitor.h"

enum { EVENTS_MAX = 500, RETRY_AFTER_S = 5 };

/* ---- Consent ---- */

static sn_status check_consent(struct rpc_call *c, const Analytics__RecordEventsRequest *in, char **why)
{
        bool given = false;

        if (strcmp(in->do_not_track, "1") == 0) {
                *why = "do_not_track";
        } else if (strcmp(in->global_privacy_control, "1") == 0) {
                *why = "global_privacy_control";
        } else if (c->actor[0] != '\0') {
                TRY(consent_of_actor(c, &given));
                *why = given ? "" : "setting";
        }
        return SN_OK;
}

/* ---- The batch ---- */

struct batch {
        AnalyticsRows__TakenEvents taken;
        size_t *indexes; /* the index in the request of each accepted event */
};

/* Problems are listed in the order of the events. */
static void add_problem(struct rpc_call *c, size_t index, const char *id, Analytics__RecordedEvents *out)
{
        Analytics__EventProblem *problem = ARENA_NEW(c->arena, Analytics__EventProblem);
        size_t at = out->n_problems++;

        analytics__event_problem__init(problem);
        problem->index = (uint32_t)index;
        problem->id = (char *)id;
        problem->field = c->problem.field != NULL ? (char *)c->problem.field : (char *)"";
        problem->detail = (char *)c->problem.detail;
        for (; at > 0 && out->problems[at - 1]->index > index; at--) {
                out->problems[at] = out->problems[at - 1];
        }
        out->problems[at] = problem;
        c->problem = (struct rpc_problem){0};
}

/* Sets c->problem. */
static void explain(struct rpc_call *c, enum subject subject)
{
        if (subject == SUBJECT_NO_NOTE) {
                (void)rpc_fail(c, SN_NOT_FOUND, "properties.note_id", "there is no note with this id");
        } else {
                (void)rpc_fail(c, SN_NOT_FOUND, "properties.experiment_id",
                               "is not one of your experiments; GET /v1/experiments/assignments lists them");
        }
}

static void keep_known(struct rpc_call *c, struct batch *batch, Analytics__RecordedEvents *out)
{
        AnalyticsRows__TakenEvents *taken = &batch->taken;
        enum subject *subjects = ARENA_ARRAY(c->arena, enum subject, taken->n_events + 1);
        size_t n = 0;

        subjects_check(c, taken->events, taken->n_events, subjects);
        for (size_t i = 0; i < taken->n_events; i++) {
                if (subjects[i] != SUBJECT_THERE) {
                        explain(c, subjects[i]);
                        add_problem(c, batch->indexes[i], taken->events[i]->id, out);
                } else {
                        taken->events[n++] = taken->events[i];
                }
        }
        taken->n_events = n;
}

static sn_status read_events(struct rpc_call *c, struct str text, struct batch *batch, Analytics__RecordedEvents *out)
{
        struct str *items = ARENA_ARRAY(c->arena, struct str, EVENTS_MAX);
        AnalyticsRows__TakenEvents *taken = &batch->taken;
        size_t n = 0;

        TRY(event_split(c, text, items, EVENTS_MAX, &n));
        if (n == 0) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "events", "give 1 to %d events", EVENTS_MAX);
        }
        taken->events = ARENA_ARRAY(c->arena, AnalyticsRows__TakenEvent *, n);
        batch->indexes = ARENA_ARRAY(c->arena, size_t, n);
        out->problems = ARENA_ARRAY(c->arena, Analytics__EventProblem *, n);
        for (size_t i = 0; i < n; i++) {
                AnalyticsRows__TakenEvent *event = ARENA_NEW(c->arena, AnalyticsRows__TakenEvent);

                analytics_rows__taken_event__init(event);
                if (event_read(c, items[i], event) != SN_OK) {
                        add_problem(c, i, event->id, out);
                } else {
                        batch->indexes[taken->n_events] = i;
                        taken->events[taken->n_events++] = event;
                }
        }
        return SN_OK;
}

static sn_status read_body(struct rpc_call *c, struct batch *batch, Analytics__RecordedEvents *out)
{
        if (c->body->size == 0) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "events", "the body is empty");
        }
        size_t len = (size_t)c->body->size;
        void *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, c->body->fd, 0);
        if (bytes == MAP_FAILED) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the body cannot be read");
        }
        sn_status status = read_events(c, (struct str){bytes, len}, batch, out);

        munmap(bytes, len);
        return status;
}

static sn_status name_sender(struct rpc_call *c, AnalyticsRows__TakenEvents *taken)
{
        char *visitor = "";

        if (c->actor[0] == '\0') {
                TRY(visitor_of_today(c, &visitor));
        }
        for (size_t i = 0; i < taken->n_events; i++) {
                taken->events[i]->user_id = (char *)c->actor;
                taken->events[i]->visitor = visitor;
        }
        return SN_OK;
}

static sn_status append_to_journal(struct rpc_call *c, const AnalyticsRows__TakenEvents *taken)
{
        size_t len = protobuf_c_message_get_packed_size(&taken->base);
        uint8_t *record = arena_alloc(c->arena, len + 1);

        (void)protobuf_c_message_pack(&taken->base, record);
        switch (journal_append(record, len)) {
        case JOURNAL_OK:
                return SN_OK;
        case JOURNAL_FULL:
                (void)rpc_fail(c, SN_UNAVAILABLE, NULL,
                               "too many events are waiting to be stored; send these again in a few seconds");
                c->problem.retry_after_s = RETRY_AFTER_S;
                return SN_UNAVAILABLE;
        default:
                return rpc_fail(c, SN_INTERNAL, NULL, "the events could not be stored");
        }
}

sn_status analytics_handle_record_events(struct rpc_call *c, const Analytics__RecordEventsRequest *in,
                                         Analytics__RecordedEvents *out)
{
        struct batch batch = {.taken = ANALYTICS_ROWS__TAKEN_EVENTS__INIT};

        TRY(check_consent(c, in, &out->declined));
        TRY(read_body(c, &batch, out));
        if (out->declined[0] == '\0') {
                keep_known(c, &batch, out);
        }
        if (out->declined[0] != '\0' || batch.taken.n_events == 0) {
                return SN_OK;
        }
        TRY(name_sender(c, &batch.taken));
        TRY(append_to_journal(c, &batch.taken));
        out->accepted = (uint32_t)batch.taken.n_events;
        return SN_OK;
}
