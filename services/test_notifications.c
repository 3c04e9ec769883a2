/* Notifications in their tables: what triggers keep right for the previous release, what is stored together, and how
 * long it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "services/test_people.h"

#define DATABASE "notification_service"

#define N1 "00000000-0000-4000-8000-000000000001"
#define A1 "00000000-0000-4000-8000-0000000000a1"
#define A2 "00000000-0000-4000-8000-0000000000a2"

static const char *sole_actor(void)
{
        return test_admin(DATABASE,
                          "select coalesce(right(sole_actor_id::text, 2), '') from notifications where id ='" N1 "'");
}

/* As the previous release does, which does not write sole_actor_id. */
static void add_actor(const char *id)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "insert into notification_actors (notification_id, actor_id, created_at) values ('" N1
                       "', '%s', now()) on conflict (actor_id, notification_id) do nothing; select 1",
                       id);
        (void)test_admin(DATABASE, sql);
}

static void remove_actor(const char *id)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql), "delete from notification_actors where actor_id = '%s'; select 1", id);
        (void)test_admin(DATABASE, sql);
}

/* One that this release stored, with its actor. */
static int store_one(void **state)
{
        (void)test_admin(DATABASE, "delete from notifications where id = '" N1 "';"
                                   " insert into notifications (id, user_id, type, group_key, latest_at, sole_actor_id)"
                                   " values ('" N1 "', '" N1 "', 'like', 'like:" N1 "', now(), '" A1 "'); select 1");
        add_actor(A1);
        return 0;
}

static void a_sole_actor_stays_until_the_previous_release_adds_another(void **state)
{
        assert_string_equal(sole_actor(), "a1");
        add_actor(A1);
        assert_string_equal(sole_actor(), "a1");
        add_actor(A2);
        assert_string_equal(sole_actor(), "");
        remove_actor(A2);
        assert_string_equal(sole_actor(), "");
}

static void a_sole_actor_is_forgotten_when_the_previous_release_removes_it(void **state)
{
        remove_actor(A2);
        assert_string_equal(sole_actor(), "a1");
        remove_actor(A1);
        assert_string_equal(sole_actor(), "");
        add_actor(A2);
        assert_string_equal(sole_actor(), "");
}

static void nothing_remains_of_a_notification_that_is_deleted(void **state)
{
        (void)test_admin(DATABASE,
                         "insert into notification_queue (id, notification_id, user_id, channel, hold, due_at)"
                         " values (gen_random_uuid(), '" N1 "', '" N1 "', 2, 1, now() + interval '1 day'); select 1");
        (void)test_admin(DATABASE, "delete from notifications where id = '" N1 "'; select 1");
        assert_string_equal(test_admin(DATABASE,
                                       "select (select count(*) from notification_actors where"
                                       " notification_id = '" N1 "') + (select count(*) from notification_queue where"
                                       " notification_id = '" N1 "')"),
                            "0");
}

/* ---- As this release stores them ---- */

/* The actors of the like of a note, and the column that names the sole one. */
static const char *liked_by(const char *note_id)
{
        char sql[600];

        (void)snprintf(sql, sizeof(sql),
                       "select count(*) || ' ' || count(distinct a.xmin::text) || ' ' || case when count(*) = 1 and"
                       " min(n.sole_actor_id::text) = min(a.actor_id::text) or count(*) > 1 and"
                       " min(n.sole_actor_id::text) is null then 'right' else 'wrong' end from notifications n join"
                       " notification_actors a on a.notification_id = n.id where n.group_key = 'like:%s'",
                       note_id);
        return test_admin(DATABASE, sql);
}

static void what_happened_at_once_is_stored_at_once(void **state)
{
        const char *id = people_post(anna, "like me", PUBLIC);
        char sql[400];

        (void)snprintf(sql, sizeof(sql),
                       "insert into notification_preferences (user_id, type, in_app, push, email, sms) values ('%s',"
                       " 'like', 0, 0, 4, 0); select 1",
                       anna);
        (void)test_admin(DATABASE, sql);
        test_network_settle();
        test_network_stop_consumers("notification");
        (void)ASK(bert, NOTE(LIKE_NOTE), .id = id);
        (void)ASK(cleo, NOTE(LIKE_NOTE), .id = id);
        (void)ASK(test_member("dora"), NOTE(LIKE_NOTE), .id = id);
        test_wait_for("note_service", "select count(*) = 0 from outbox where position is null");
        test_network_start_consumers("notification");
        test_service_settle("notification");
        assert_string_equal(liked_by(id), "3 1 right");
        (void)snprintf(sql, sizeof(sql), "select count(*) from notification_queue where user_id = '%s' and channel = 2",
                       anna);
        assert_string_equal(test_admin(DATABASE, sql), "1");
}

static void the_sole_actor_is_known_as_likes_come_and_go(void **state)
{
        const char *id = people_post(anna, "like me too", PUBLIC);

        (void)ASK(bert, NOTE(LIKE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(liked_by(id), "1 1 right");
        (void)ASK(cleo, NOTE(LIKE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(liked_by(id), "2 2 right");
        (void)ASK(bert, NOTE(UNLIKE_NOTE), .id = id);
        (void)ASK(cleo, NOTE(UNLIKE_NOTE), .id = id);
        test_network_settle();
        (void)ASK(test_member("dan"), NOTE(LIKE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(liked_by(id), "1 1 right");
}

/* ---- How long rows are kept ---- */

static void rows_are_kept_for_their_time(void **state)
{
        (void)test_admin(
            DATABASE,
            "insert into notification_delivery_logs (id, notification_id, user_id, channel, provider, outcome, status,"
            " took_ms, created_at) select gen_random_uuid(), '" N1 "', '" N1 "', 1, '', 'sent', 201, 1, now() - n *"
            " interval '1 day' from unnest(array[1, 29, 31, 60]) n; insert into notification_effects (effect,"
            " created_at) select sha256(int4send(n)), now() - n * interval '1 hour' from unnest(array[1, 23, 25, 48]) "
            "n;"
            " insert into notifications (id, user_id, type, group_key, latest_at) select gen_random_uuid(), '" A1
            "', 'like', 'kept:' || n, now() - n * interval '1 day' from unnest(array[1, 89, 91, 200]) n; select 1");
        (void)test_network_run_job("notification", "prune_notifications");
        assert_string_equal(test_admin(DATABASE,
                                       "select string_agg(round(extract(epoch from now() - created_at) / 86400)"
                                       "::text, ' ' order by created_at desc) from notification_delivery_logs"
                                       " where notification_id = '" N1 "'"),
                            "1 29");
        assert_string_equal(test_admin(DATABASE,
                                       "select string_agg(round(extract(epoch from now() - created_at) / 3600)"
                                       "::text, ' ' order by created_at desc) from notification_effects"),
                            "1 23");
        assert_string_equal(test_admin(DATABASE, "select string_agg(group_key, ' ' order by latest_at desc) from"
                                                 " notifications where user_id = '" A1 "'"),
                            "kept:1 kept:89");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(a_sole_actor_stays_until_the_previous_release_adds_another, store_one),
            cmocka_unit_test_setup(a_sole_actor_is_forgotten_when_the_previous_release_removes_it, store_one),
            cmocka_unit_test_setup(nothing_remains_of_a_notification_that_is_deleted, store_one),
            PEOPLE_TEST(what_happened_at_once_is_stored_at_once),
            PEOPLE_TEST(the_sole_actor_is_known_as_likes_come_and_go),
            cmocka_unit_test(rows_are_kept_for_their_time),
        };

        return cmocka_run_group_tests_name("notifications", tests, test_start_plain, test_stop);
}
