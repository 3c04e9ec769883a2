/* Variants as returned to other services: they follow the documented hash, and are the same as members get themselves.
 * Once with plain calls, once with every call encoded and decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/contract.h"
#include "rpc/rpc.h"
#include "services/analytics/analytics.rpc.h"
#include "services/test_people.h"

#define DATABASE "analytics_service"
/* From the vectors in test_assign.c and docs/api.md: its bucket is 404 in layer:home, 1619 in the experiment. */
#define VECTOR_VISITOR    "01890000-0000-7000-8000-000000000001"
#define VECTOR_EXPERIMENT "01890000-0000-7000-8000-0000000000aa"

static void start_experiment(const char *id, const char *name, const char *layer, int from, int to, const char *rest)
{
        char sql[600];

        (void)snprintf(sql, sizeof(sql),
                       "delete from experiments where id = '%s' or name = '%s'; insert into experiments (id, name, "
                       "layer, from_percent, to_percent, variants, metric, started_at, audience, holdout_percent)"
                       " values ('%s', '%s', '%s', %d, %d, 'a,b,c,d,e', 'search', now(), %s)",
                       id, name, id, name, layer, from, to, rest);
        (void)test_admin(DATABASE, sql);
}

static void set_pseudonym(const char *member, const char *visitor)
{
        char sql[400];

        (void)snprintf(sql, sizeof(sql),
                       "delete from analytics_people where visitor = '%s' or user_id = '%s'; insert into"
                       " analytics_people (visitor, user_id, first_day) values ('%s', '%s', '2026-01-01')",
                       visitor, member, visitor, member);
        (void)test_admin(DATABASE, sql);
}

static void do_not_count(const char *member)
{
        User__Settings in = USER__SETTINGS__INIT;
        User__PrivacySettings privacy = USER__PRIVACY_SETTINGS__INIT;

        privacy.analytics_presence_case = USER__PRIVACY_SETTINGS__ANALYTICS_PRESENCE_ANALYTICS;
        in.privacy = &privacy;
        assert_int_equal(test_send(member, &USER(UPDATE_SETTINGS), &in.base, NULL), SN_OK);
}

static const char *const callees[] = {"analytics", NULL};
static const struct rpc_method none;
static const struct rpc_service caller = {.name = "caller", .calls = callees, .methods = &none};

/* Like a service whose contract says that it calls analytics. */
static const char *variant_of(const char *experiment, const char *member)
{
        static struct service self = {.name = "caller"};
        static char variant[40];
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&self, 60000);
        AnalyticsExperiments__BatchGetAssignmentsRequest in =
            ANALYTICS_EXPERIMENTS__BATCH_GET_ASSIGNMENTS_REQUEST__INIT;
        AnalyticsExperiments__MemberAssignments out = ANALYTICS_EXPERIMENTS__MEMBER_ASSIGNMENTS__INIT;
        char *ids[] = {(char *)"01890000-0000-7000-8000-00000000dead", (char *)member};

        in.experiment = (char *)experiment;
        in.n_user_ids = 2;
        in.user_ids = ids;
        assert_int_equal(analytics_batch_get_assignments(c, &in, &out), SN_OK);
        assert_true(out.n_items <= 1); /* anonymous callers are not assigned */
        if (out.n_items == 1) {
                assert_string_equal(out.items[0]->user_id, member);
        }
        (void)snprintf(variant, sizeof(variant), "%s", out.n_items == 1 ? out.items[0]->variant : "-");
        return variant;
}

static const char *told_to(const char *experiment, const char *member)
{
        AnalyticsExperiments__ListAssignmentsRequest in = ANALYTICS_EXPERIMENTS__LIST_ASSIGNMENTS_REQUEST__INIT;
        AnalyticsExperiments__Assignments *out = NULL;

        assert_int_equal(test_send(member, &analytics_methods[ANALYTICS_LIST_ASSIGNMENTS], &in.base, (void **)&out),
                         SN_OK);
        for (size_t i = 0; i < out->n_items; i++) {
                if (strcmp(out->items[i]->name, experiment) == 0) {
                        return out->items[i]->variant;
                }
        }
        return "-";
}

static void services_are_told_what_the_vectors_say(void **state)
{
        set_pseudonym(anna, VECTOR_VISITOR);
        start_experiment(VECTOR_EXPERIMENT, "vectors", "home", 4, 5, "1, 0");
        assert_string_equal(variant_of("vectors", anna), "a"); /* 1619 · 5 / 10,000 = 0 */
        start_experiment(VECTOR_EXPERIMENT, "vectors", "home", 5, 100, "1, 0");
        assert_string_equal(variant_of("vectors", anna), "-");
        start_experiment(VECTOR_EXPERIMENT, "vectors", "search", 59, 60, "1, 0"); /* 5954 */
        assert_string_equal(variant_of("vectors", anna), "a");
        start_experiment(VECTOR_EXPERIMENT, "vectors", "home", 0, 100, "2, 0"); /* only new members */
        assert_string_equal(variant_of("vectors", anna), "-");
}

/* Whichever service asks first, from then on the member has a pseudonym and stays in their variant. */
static void members_are_told_the_same(void **state)
{
        static const char *const rest[] = {"1, 0", "2, 0", "3, 0", "1, 50"};
        const char *people[] = {anna, bert, cleo};
        char asked[40];

        for (int i = 0; i < 12; i++) {
                char id[UUID_SIZE];
                const char *who = people[i % 3];

                start_experiment(uuid_new(id), "same", i % 2 == 0 ? "x" : "y", 0, i < 4 ? 100 : 50, rest[i % 4]);
                (void)snprintf(asked, sizeof(asked), "%s", i < 6 ? variant_of("same", who) : told_to("same", who));
                assert_string_equal(told_to("same", who), asked);
                assert_string_equal(variant_of("same", who), asked);
        }
}

static void who_was_only_asked_about_is_new(void **state)
{
        char id[UUID_SIZE];

        start_experiment(uuid_new(id), "newcomers", "z", 0, 100, "2, 0");
        (void)test_admin(DATABASE, "delete from analytics_people");
        assert_string_not_equal(variant_of("newcomers", anna), "-");
        assert_string_equal(test_admin(DATABASE, "select count(*) from analytics_people where first_day = 'infinity'"),
                            "1");
}

static void who_is_not_counted_and_what_does_not_run_is_nothing(void **state)
{
        char id[UUID_SIZE], sql[200];

        start_experiment(uuid_new(id), "ends", "w", 0, 100, "1, 0");
        assert_string_not_equal(variant_of("ends", anna), "-");
        do_not_count(bert);
        assert_string_equal(variant_of("ends", bert), "-");
        (void)snprintf(sql, sizeof(sql), "select count(*) from analytics_people where user_id = '%s'", bert);
        assert_string_equal(test_admin(DATABASE, sql), "0");
        (void)test_admin(DATABASE, "update experiments set stopped_at = now() where name = 'ends'");
        assert_string_equal(variant_of("ends", anna), "-");
        assert_string_equal(variant_of("unheard-of", anna), "-");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            PEOPLE_TEST(services_are_told_what_the_vectors_say),
            PEOPLE_TEST(members_are_told_the_same),
            PEOPLE_TEST(who_was_only_asked_about_is_new),
            PEOPLE_TEST(who_is_not_counted_and_what_does_not_run_is_nothing),
        };
        contract_register(&caller);
        int failed = cmocka_run_group_tests_name("assignments", tests, test_start_plain, test_stop);

        return failed + cmocka_run_group_tests_name("assignments, encoded", tests, test_start_encoded, test_stop);
}
