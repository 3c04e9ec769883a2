/* Owns the clock by which an act is later. */
#include "services/test_act.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>
#include "base/clock.h"
#include "services/test_poller.h"

void *act_do(void *argument)
{
        struct act *act = argument;
        void *answer = NULL;

        act->status =
            test_request(act->actor, act->method, &(struct test_args){.id = act->id, .text = act->text}, &answer);
        if (act->status == SN_OK) {
                (void)snprintf(act->made, UUID_SIZE, "%s", act->item != NULL ? act->item : poller_text(answer, "id"));
        }
        test_release();
        return NULL;
}

static _Atomic int64_t minutes;

static int64_t minutes_later(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + minutes * 60000000;
}

void act_a_minute_later(struct act *act)
{
        minutes++;
        clock_set_source(&(struct clock_source){.wall_us = minutes_later});
        (void)act_do(act);
        clock_set_source(NULL);
        assert_int_equal(act->status, SN_OK);
}

PGconn *act_hold_up(const char *database, const char *table, const char *condition, struct act *act)
{
        PGconn *pg = test_admin_connect(database);
        char sql[400];

        (void)test_admin(database,
                         "create or replace function hold_up() returns trigger language plpgsql security definer"
                         " as $$ begin perform pg_advisory_xact_lock_shared(4711); return new; end $$");
        (void)snprintf(
            sql, sizeof(sql),
            "create or replace trigger hold_up before insert on %s for each row when (%s) execute function hold_up()",
            table, condition);
        (void)test_admin(database, sql);
        PQclear(PQexec(pg, "select pg_advisory_lock(4711)"));
        (void)pthread_create(&act->thread, NULL, act_do, act);
        test_wait_for(database, "select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
        return pg;
}

void act_let_go(PGconn *pg, const char *database, const char *table, struct act *act)
{
        char sql[200];

        PQfinish(pg);
        (void)pthread_join(act->thread, NULL);
        assert_int_equal(act->status, SN_OK);
        (void)snprintf(sql, sizeof(sql), "drop trigger hold_up on %s", table);
        (void)test_admin(database, sql);
}
