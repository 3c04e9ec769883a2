/* Experiments: results can be recomputed, stop harmful variants, and identify nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/clock.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/analytics.h"
#include "services/analytics/experiments.h"
#include "services/analytics/store.h"
#include "services/test_analytics_support.h"
#include "services/test_support.h"

#define DATABASE TEST_ANALYTICS

enum { TAKERS = 60 };
static char takers[TAKERS][UUID_SIZE];

static void plan(const char *name, const char *guardrails, char id[UUID_SIZE])
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        stored_experiment e = ANALYTICS_ROWS__STORED_EXPERIMENT__INIT;
        bool done = false;

        e.id = (char *)uuid_new(id);
        e.name = e.layer = (char *)name;
        e.to_percent = 100;
        e.variants = (char *)"control,new";
        e.metric = (char *)"note.created";
        e.audience = 1;
        e.holdout_percent = 10;
        e.guardrails = (char *)guardrails;
        assert_int_equal(DB_WRITE(c, tx, store_insert_experiment(tx, &e)), SN_OK);
        assert_int_equal(DB_WRITE(c, tx, store_start_experiment(tx, id, &done)), SN_OK);
        assert_true(done);
}

static bool has_new(struct rpc_call *c, const char *id, const char *member)
{
        const char *visitor = NULL;
        int64_t first_ms = 0;

        assert_int_equal(DB_WRITE(c, tx, store_visitor(tx, member, &visitor, &first_ms)), SN_OK);
        return assign_variant(assign_bucket(id, visitor), 2) == 1;
}

static void take(struct rpc_call *c, AnalyticsRows__TakenEvent *out, const char *name, const char *id, const char *who)
{
        analytics_rows__taken_event__init(out);
        out->id = uuid_new_in(c->arena);
        out->name = (char *)name;
        out->at_ms = clock_wall_ms();
        out->object_id = (char *)id;
        out->user_id = (char *)who;
}

/* Everybody sees it; those in the control write two or four notes, those in "new" the given number. */
static void run_experiment(const char *id, int notes_of_new)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        static AnalyticsRows__TakenEvent events[TAKERS * 6], *list[TAKERS * 6];
        size_t n = 0;

        for (int i = 0; i < TAKERS; i++) {
                int notes = has_new(c, id, uuid_new(takers[i])) ? notes_of_new : 2 + i % 2 * 2;

                take(c, &events[n++], "experiment_seen", id, takers[i]);
                for (int k = 0; k < notes; k++) {
                        take(c, &events[n++], "note.created", "", takers[i]);
                }
        }
        for (size_t i = 0; i < n; i++) {
                list[i] = &events[i];
        }
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, list, n, TEST_ANALYTICS_MIN)), SN_OK);
}

static struct experiment_verdict verify(const char *id)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        struct experiment_verdict verdict = {0};

        assert_int_equal(experiment_verify(c, id, &verdict), SN_OK);
        return verdict;
}

static void results_can_be_computed_again_from_the_events(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        char id[UUID_SIZE], sql[300];
        bool done = false;

        plan("verified", "", id);
        run_experiment(id, 3);
        assert_false(verify(id).saved);
        assert_int_equal(DB_WRITE(c, tx, experiment_stop(tx, id, "", &done)), SN_OK);
        struct experiment_verdict verdict = verify(id);
        assert_true(done && verdict.saved && verdict.same);
        assert_true(verdict.people > TAKERS / 2 && verdict.people <= TAKERS); /* some are held out */
        /* Events stored later change nothing; deleted ones do. */
        analytics_store(&(struct about){.name = "note.created", .user_id = takers[0]});
        assert_true(verify(id).same);
        (void)snprintf(sql, sizeof(sql), "delete from user_events where object_id = '%s'; select 1", id);
        (void)test_admin(DATABASE, sql);
        verdict = verify(id);
        assert_true(verdict.saved && !verdict.same);
}

static const char *state_of(const char *id)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "select stopped_by || ':' || (stopped_at is not null) from experiments where id = '%s'", id);
        return test_admin(DATABASE, sql);
}

static void a_guardrail_stops_only_harmful_experiments(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        char harmful[UUID_SIZE], harmless[UUID_SIZE];

        plan("harmful", "search,note.created", harmful);
        plan("harmless", "search,note.created", harmless);
        run_experiment(harmful, 0);
        run_experiment(harmless, 3);
        assert_int_equal(guardrails_check(c), SN_OK);
        assert_string_equal(state_of(harmful), "note.created:true");
        assert_string_equal(state_of(harmless), ":false");
        assert_true(verify(harmful).same);
}

/* ---- Published results ---- */

enum { SEERS = 25 };
/* Of each variant. */
static char seers[2][SEERS][UUID_SIZE];

static void find_seers(const char *id)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        int n[2] = {0, 0};
        char sql[200];

        (void)snprintf(sql, sizeof(sql), "update experiments set holdout_percent = 0 where id = '%s'; select 1", id);
        (void)test_admin(DATABASE, sql);
        while (n[0] < SEERS || n[1] < SEERS) {
                char who[UUID_SIZE];
                int variant = has_new(c, id, uuid_new(who)) ? 1 : 0;

                if (n[variant] < SEERS) {
                        (void)snprintf(seers[variant][n[variant]++], UUID_SIZE, "%s", who);
                }
        }
}

/* Members first to last of a variant, whose clocks are ahead by this much. */
static void do_as(const char *name, const char *id, int variant, int first, int last, int64_t ahead_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__TakenEvent events[SEERS], *list[SEERS];
        size_t n = 0;

        for (int i = first; i <= last; i++, n++) {
                take(c, &events[n], name, id, seers[variant][i]);
                events[n].at_ms += ahead_ms;
                list[n] = &events[n];
        }
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, list, n, TEST_ANALYTICS_MIN)), SN_OK);
}

/* "people mean, people mean"; "-" if nothing is shown. percent > 0: that quantile instead of the mean. */
static const char *results_of(const char *id, uint32_t percent)
{
        static char text[100];
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsExperiments__ResultsRequest in = ANALYTICS_EXPERIMENTS__RESULTS_REQUEST__INIT;
        AnalyticsExperiments__Results out = ANALYTICS_EXPERIMENTS__RESULTS__INIT;

        in.id = (char *)id;
        in.measure = percent > 0 ? ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_QUANTILE
                                 : ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_MEAN;
        in.percent = percent;
        assert_int_equal(analytics_handle_get_results(c, &in, &out), SN_OK);
        assert_int_equal(out.n_variants, 2);
        (void)snprintf(text, sizeof(text), "%lld %g, %lld %g", (long long)out.variants[0]->people,
                       out.variants[0]->mean, (long long)out.variants[1]->people, out.variants[1]->mean);
        return out.variants[0]->people_shown_case == 0 ? "-" : text;
}

static void results_change_by_enough_people_who_act_and_who_join(void **state)
{
        char id[UUID_SIZE];

        plan("joined", "", id);
        find_seers(id);
        do_as("experiment_seen", id, 0, 0, 9, 0);
        do_as("experiment_seen", id, 1, 0, 5, 0);
        assert_string_equal(results_of(id, 0), "10 0, 5 0"); /* six people, in steps of five */
        /* One of the six people who were active is new. */
        do_as("note.created", "", 0, 0, 4, 0);
        do_as("experiment_seen", id, 0, 10, 10, 0);
        assert_string_equal(results_of(id, 0), "10 0, 5 0");
        do_as("experiment_seen", id, 0, 11, 13, 0);
        assert_string_equal(results_of(id, 0), "10 0, 5 0");
        do_as("experiment_seen", id, 0, 14, 14, 0);
        assert_string_equal(results_of(id, 0), "15 0.5, 5 0");
}

/* Enough people are needed not only beyond the quantile but also beyond the values that its interval is made of. */
static void a_quantile_needs_enough_people_on_either_side(void **state)
{
        char id[UUID_SIZE];

        plan("quantiles", "", id);
        find_seers(id);
        do_as("experiment_seen", id, 0, 0, 19, 0);
        do_as("experiment_seen", id, 1, 0, 17, 0);
        assert_string_equal(results_of(id, 50), "-"); /* the fourth of 18 is one of them */
        assert_string_equal(results_of(id, 0), "20 0, 15 0");
        plan("quantiles too", "", id);
        find_seers(id);
        do_as("experiment_seen", id, 0, 0, 19, 0);
        do_as("experiment_seen", id, 1, 0, 18, 0);
        do_as("note.created", "", 0, 0, 0, 0);
        assert_string_equal(results_of(id, 50), "20 0, 15 0");
        assert_string_equal(results_of(id, 60), "-");
        assert_string_equal(results_of(id, 99), "-"); /* a single note of one of them */
        assert_string_equal(results_of(id, 1), "-");
}

/* An exact mean would reveal the sum of what they did, or how many of them did nothing. */
static void actions_of_few_people_are_not_shown(void **state)
{
        char id[UUID_SIZE];

        plan("few", "", id);
        find_seers(id);
        do_as("experiment_seen", id, 0, 0, 19, 0);
        do_as("experiment_seen", id, 1, 0, 19, 0);
        assert_string_equal(results_of(id, 0), "20 0, 20 0"); /* nobody */
        do_as("note.created", "", 0, 0, 3, 0);
        do_as("search", "", 0, 4, 4, 0);
        assert_string_equal(results_of(id, 0), "-"); /* four of them */
        do_as("note.created", "", 0, 4, 8, 0);
        assert_string_equal(results_of(id, 0), "20 0.4, 20 0"); /* nine: 0.45, in steps of 0.2 */
        do_as("note.created", "", 0, 9, 15, 0);
        assert_string_equal(results_of(id, 0), "-"); /* all but four */
        do_as("note.created", "", 0, 16, 19, 0);
        do_as("search", "", 0, 0, 0, 0);
        assert_string_equal(results_of(id, 0), "20 1, 20 0"); /* all */
}

/* Whoever does much more than everybody else makes the numbers coarse. */
static void one_very_active_person_does_not_show(void **state)
{
        char id[UUID_SIZE];

        plan("active", "", id);
        find_seers(id);
        do_as("experiment_seen", id, 0, 0, 19, 0);
        do_as("experiment_seen", id, 1, 0, 19, 0);
        do_as("note.created", "", 0, 0, 9, 0);
        assert_string_equal(results_of(id, 0), "20 0.6, 20 0"); /* 0.5, in steps of 0.2 */
        for (int i = 0; i < 50; i++) {
                do_as("note.created", "", 0, 0, 0, 0);
        }
        do_as("search", "", 0, 0, 9, 0);
        assert_string_equal(results_of(id, 0), "20 0, 20 0"); /* 3, in steps of 20 */
}

/* For members who joined after its start, or before. */
static void plan_for(const char *name, int audience, char id[UUID_SIZE])
{
        char sql[300];

        plan(name, "", id);
        (void)snprintf(sql, sizeof(sql),
                       "update experiments set audience = %d, holdout_percent = 0 where id = '%s'; select 1", audience,
                       id);
        (void)test_admin(DATABASE, sql);
}

/* An event of the day before that is stored late does not make a member an old one: the difference between answers
 * would be that single person. */
static void late_events_do_not_change_audiences(void **state)
{
        char of_new[UUID_SIZE], of_others[UUID_SIZE];

        plan_for("of new ones", 2, of_new);
        find_seers(of_new);
        do_as("experiment_seen", of_new, 0, 0, 9, 0);
        do_as("experiment_seen", of_new, 1, 0, 9, 0);
        plan_for("of the others", 3, of_others);
        for (int variant = 0; variant < 2; variant++) {
                do_as("experiment_seen", of_others, variant, 0, 9, 0);
        }
        assert_string_equal(results_of(of_new, 0), "10 0, 10 0");
        assert_string_equal(results_of(of_others, 0), "-");
        do_as("search", "", 0, 0, 0, -INT64_C(86400000) * 2);
        do_as("search", "", 1, 0, 4, -INT64_C(86400000) * 2);
        assert_string_equal(results_of(of_new, 0), "10 0, 10 0");
        assert_string_equal(results_of(of_others, 0), "-");
        do_as("search", "", 0, 0, 9, -INT64_C(86400000) * 2);
        do_as("search", "", 1, 0, 9, -INT64_C(86400000) * 2);
        assert_string_equal(results_of(of_new, 0), "10 0, 10 0");
        assert_string_equal(results_of(of_others, 0), "-");
}

/* Their clocks are four minutes fast. */
static void stopping_does_not_remove_people_from_results(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        char id[UUID_SIZE];
        bool done = false;

        plan("stopped", "", id);
        find_seers(id);
        for (int variant = 0; variant < 2; variant++) {
                do_as("experiment_seen", id, variant, 0, 9, variant * INT64_C(240000));
                do_as("note.created", "", variant, 0, 9, INT64_C(241000));
        }
        assert_string_equal(results_of(id, 0), "10 1, 10 1");
        assert_int_equal(DB_WRITE(c, tx, experiment_stop(tx, id, "", &done)), SN_OK);
        assert_string_equal(results_of(id, 0), "10 1, 10 1");
        assert_true(verify(id).same && verify(id).people == 20);
        /* Events stored later that are after the stop by their own time do not count. */
        do_as("note.created", "", 0, 0, 9, INT64_C(1000));
        do_as("note.created", "", 1, 0, 9, INT64_C(1000));
        assert_string_equal(results_of(id, 0), "10 1, 10 1");
}

/* Month by month its people would go, few of them at a time. */
static void results_end_with_the_first_events_that_go(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsExperiments__ResultsRequest in = ANALYTICS_EXPERIMENTS__RESULTS_REQUEST__INIT;
        AnalyticsExperiments__Results out = ANALYTICS_EXPERIMENTS__RESULTS__INIT;
        char id[UUID_SIZE], sql[300];

        plan("old", "", id);
        find_seers(id);
        do_as("experiment_seen", id, 0, 0, 9, 0);
        do_as("experiment_seen", id, 1, 0, 9, 0);
        (void)snprintf(
            sql, sizeof(sql),
            "update experiments set started_at = date_trunc('month', now()) - interval '13 months' + interval"
            " '28 days' where id = '%s'; select 1",
            id);
        (void)test_admin(DATABASE, sql);
        assert_string_equal(results_of(id, 0), "10 0, 10 0");
        (void)snprintf(sql, sizeof(sql),
                       "update experiments set started_at = started_at - interval '1 second' where id = '%s'; select 1",
                       id);
        (void)test_admin(DATABASE, sql);
        in.id = id;
        assert_int_equal(analytics_handle_get_results(c, &in, &out), SN_FAILED_PRECONDITION);
}

static int setup(void **state)
{
        int failed = analytics_setup(state);

        analytics_start(); /* sets the smallest group */
        return failed;
}

static int teardown(void **state)
{
        analytics_stop();
        return analytics_teardown(state);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(results_can_be_computed_again_from_the_events),
            cmocka_unit_test(a_guardrail_stops_only_harmful_experiments),
            cmocka_unit_test(results_change_by_enough_people_who_act_and_who_join),
            cmocka_unit_test(a_quantile_needs_enough_people_on_either_side),
            cmocka_unit_test(actions_of_few_people_are_not_shown),
            cmocka_unit_test(one_very_active_person_does_not_show),
            cmocka_unit_test(late_events_do_not_change_audiences),
            cmocka_unit_test(stopping_does_not_remove_people_from_results),
            cmocka_unit_test(results_end_with_the_first_events_that_go),
        };

        return cmocka_run_group_tests_name("experiments", tests, setup, teardown);
}
