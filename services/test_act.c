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
