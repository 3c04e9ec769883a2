/* Home timelines during many concurrent writes, while Redis is emptied, filled and cut off during fan-outs.
 * SONET_TEST_ROUNDS sets the number of rounds (`./dev test --long`: 100). */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "services/test_home.h"

#define MEMBERS 8
#define WRITERS 4

static const char *members[MEMBERS];

static void check_all(uint32_t limit, const char *how)
{
        test_home_load();
        for (size_t i = 0; i < MEMBERS; i++) {
                test_home_check(members[i], limit, how);
        }
}

struct writer {
        pthread_t thread;
        unsigned random;
        int steps;
        char failure[200];
        char ids[64][UUID_SIZE]; /* some of its notes */
        const char *authors[64];
        size_t n_posts;
};

static atomic_bool chaos_over;

static unsigned draw(struct writer *w, unsigned bound)
{
        return (unsigned)rand_r(&w->random) % bound;
}

/* Errors that may occur; all others are defects. */
static void note_status(struct writer *w, const struct rpc_method *m, sn_status status)
{
        if (status != SN_OK && status != SN_NOT_FOUND && status != SN_PERMISSION_DENIED && w->failure[0] == '\0') {
                (void)snprintf(w->failure, sizeof(w->failure), "%s: %s (%s)", m->name, sn_status_name(status),
                               test_problem_code());
        }
}

static void act(struct writer *w, const char *actor, const struct rpc_method *m, const char *id)
{
        note_status(w, m, test_request(actor, m, &(struct test_args){.id = id}, NULL));
}

static void post(struct writer *w, const char *actor)
{
        struct test_args args = {.text = "hello #world",
                                 .visibility = 1 + (int)(draw(w, 10) > 6) + (int)(draw(w, 10) > 8)};
        Note__Note *note = NULL;
        sn_status status = test_request(actor, &NOTE(CREATE_NOTE), &args, (void **)&note);

        note_status(w, &NOTE(CREATE_NOTE), status);
        if (status == SN_OK) {
                (void)snprintf(w->ids[w->n_posts % 64], UUID_SIZE, "%s", note->id);
                w->authors[w->n_posts++ % 64] = actor;
        }
}

/* Half of all builds coincide with a delivery. */
static void read_newly(struct writer *w, const char *actor, bool forget)
{
        char key[80];
        const char *argv[] = {"DEL", key};

        (void)snprintf(key, sizeof(key), "tl:home:%s", actor);
        if (forget) {
                (void)test_redis_do(2, argv);
        }
        act(w, actor, &TIMELINE(GET_HOME), NULL);
}

static void step(struct writer *w)
{
        static const struct rpc_method *const on_members[] = {
            &FOLLOW(FOLLOW_USER),   &FOLLOW(FOLLOW_USER), &FOLLOW(FOLLOW_USER), &FOLLOW(FOLLOW_USER),
            &FOLLOW(UNFOLLOW_USER), &FOLLOW(MUTE_USER),   &FOLLOW(UNMUTE_USER), &FOLLOW(BLOCK_USER),
            &FOLLOW(UNBLOCK_USER),  &FOLLOW(UNBLOCK_USER)};
        const char *actor = members[draw(w, MEMBERS)], *other = members[draw(w, MEMBERS)];
        unsigned dice = draw(w, 100);
        size_t some = w->n_posts > 0 ? draw(w, (unsigned)(w->n_posts < 64 ? w->n_posts : 64)) : 0;

        if (dice < 45 || w->n_posts == 0) {
                post(w, actor);
        } else if (dice < 60) {
                if (actor != other) {
                        act(w, actor, on_members[draw(w, 10)], other);
                }
        } else if (dice < 67) {
                act(w, actor, &NOTE(RENOTE_NOTE), w->ids[some]);
        } else if (dice < 71) {
                act(w, actor, &NOTE(UNRENOTE_NOTE), w->ids[some]);
        } else if (dice < 77) {
                act(w, w->authors[some], &NOTE(DELETE_NOTE), w->ids[some]);
        } else {
                read_newly(w, actor, dice < 95);
        }
        test_release();
}

static void *write_much(void *argument)
{
        struct writer *w = argument;

        for (int i = 0; i < w->steps; i++) {
                step(w);
        }
        return NULL;
}

/* Full: it responds to readers, and rejects deliveries. */
static void fill_redis(struct writer *w)
{
        const char *full[] = {"CONFIG", "SET", "maxmemory", "1"}, *empty[] = {"CONFIG", "SET", "maxmemory", "0"};

        (void)test_redis_do(4, full);
        clock_sleep_ms(1 + draw(w, 20));
        while (!test_redis_do(4, empty)) {
                clock_sleep_ms(5);
        }
}

/* The disturbances of Redis during deliveries. Also separately: one may repair the damage of another.
 */
enum disturbance { NOTHING, EMPTY, FILL, CUT, N_DISTURBANCES, ANY = N_DISTURBANCES };

static void *disturb(void *argument)
{
        const char *flush[] = {"FLUSHALL"}, *cut[] = {"CLIENT", "KILL", "TYPE", "normal"};
        const enum disturbance *kind = argument;
        struct writer w = {.random = test_seed + 1000};

        while (!atomic_load(&chaos_over)) {
                enum disturbance now = *kind == ANY ? (enum disturbance)draw(&w, N_DISTURBANCES) : *kind;

                clock_sleep_ms(1 + draw(&w, 60));
                if (now == EMPTY) {
                        (void)test_redis_do(1, flush);
                } else if (now == CUT) {
                        (void)test_redis_do(4, cut);
                } else if (now == FILL) {
                        fill_redis(&w);
                }
        }
        return NULL;
}

static void run_writers(int steps, enum disturbance kind)
{
        struct writer *writers = calloc(WRITERS, sizeof(*writers));
        pthread_t disturber;

        atomic_store(&chaos_over, false);
        (void)pthread_create(&disturber, NULL, disturb, &kind);
        for (unsigned i = 0; i < WRITERS; i++) {
                writers[i].random = test_seed + i;
                writers[i].steps = steps;
                (void)pthread_create(&writers[i].thread, NULL, write_much, &writers[i]);
        }
        for (unsigned i = 0; i < WRITERS; i++) {
                (void)pthread_join(writers[i].thread, NULL);
        }
        atomic_store(&chaos_over, true);
        (void)pthread_join(disturber, NULL);
        for (unsigned i = 0; i < WRITERS; i++) {
                if (writers[i].failure[0] != '\0') {
                        fail_msg("seed %u: %s", test_seed, writers[i].failure);
                }
        }
        free(writers);
}

static void disturbing_redis_during_fan_outs_changes_nothing(void **state)
{
        const char *given = getenv("SONET_TEST_ROUNDS");
        long rounds = given != NULL ? strtol(given, NULL, 10) : 10;

        for (long round = 0; round < rounds; round++) {
                test_seed++;
                run_writers(20 + (int)(test_seed % 50), (enum disturbance)(round % (ANY + 1)));
                test_network_settle();
                check_all(100, "after the disturbance");
                check_all(7 + test_seed % 30, "from what that left in Redis");
        }
}

static void undisturbed_timelines_are_correct(void **state)
{
        test_seed++;
        run_writers(200, NOTHING);
        test_network_settle();
        check_all(3, "undisturbed");
        check_all(100, "again");
}

/* ---- Set-up ---- */

static void make_members(void)
{
        for (unsigned i = 0; i < MEMBERS; i++) {
                char name[40];

                (void)snprintf(name, sizeof(name), "member_%u", i);
                members[i] = test_member(name);
        }
        test_release();
}

static int start(const char *redis_url, bool encoded)
{
        test_network_start(redis_url, encoded);
        make_members();
        return 0;
}

static int start_plain(void **state)
{
        return start(getenv("SONET_TEST_REDIS_URL"), false);
}

static int start_encoded(void **state)
{
        return start(getenv("SONET_TEST_REDIS_URL"), true);
}

static int start_without_redis(void **state)
{
        return start("redis://127.0.0.1:1", false);
}

int main(void)
{
        const struct CMUnitTest disturbed[] = {
            cmocka_unit_test(disturbing_redis_during_fan_outs_changes_nothing),
        };
        const struct CMUnitTest without_redis[] = {cmocka_unit_test(undisturbed_timelines_are_correct)};

        test_seed_choose();
        int failed = cmocka_run_group_tests_name("timelines", disturbed, start_plain, test_stop);

        failed += cmocka_run_group_tests_name("timelines, encoded", disturbed, start_encoded, test_stop);
        return failed +
               cmocka_run_group_tests_name("timelines without Redis", without_redis, start_without_redis, test_stop);
}
