/* Owns the latest known progress of delivery. An old value remains true, it only covers less. */
#include "services/timeline/delivered.h"

#include <pthread.h>
#include <string.h>
#include "base/clock.h"
#include "base/no_wait.h"
#include "bus/bus.h"
#include "services/note/note.rpc.h"

#define ASK_EVERY_US 50000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char settled[UUID_SIZE];
static int64_t asked_us, passed_on_us;

char *delivered_settled(char out[UUID_SIZE])
{
        (void)pthread_mutex_lock(&lock);
        memcpy(out, settled, UUID_SIZE);
        (void)pthread_mutex_unlock(&lock);
        return out;
}

/* Of several callers that must not block, one goes to a worker, which asks. */
static bool is_due(void)
{
        int64_t now_us = clock_monotonic_us();

        (void)pthread_mutex_lock(&lock);
        int64_t *last_us = no_wait_here() ? &passed_on_us : &asked_us;
        bool due = (asked_us == 0 || now_us - asked_us >= ASK_EVERY_US) &&
                   (*last_us == 0 || now_us - *last_us >= ASK_EVERY_US);
        *last_us = due ? now_us : *last_us;
        (void)pthread_mutex_unlock(&lock);
        return due;
}

static bool keep(const char *id)
{
        (void)pthread_mutex_lock(&lock);
        bool later = strcmp(id, settled) > 0;
        if (later) {
                memcpy(settled, id, UUID_SIZE);
        }
        (void)pthread_mutex_unlock(&lock);
        return later;
}

/* The position first: what is delivered after it only makes the answer older than necessary. */
static sn_status ask_note(struct rpc_call *c, Note__Settled *out)
{
        Note__GetSettledRequest in = NOTE__GET_SETTLED_REQUEST__INIT;

        TRY(bus_taken(c, "note", &in.log_position));
        return note_get_settled(c, &in, out);
}

bool delivered_ask(struct rpc_call *c)
{
        Note__Settled found = NOTE__SETTLED__INIT;

        if (!is_due()) {
                return false;
        }
        if (ask_note(c, &found) != SN_OK) {
                c->problem = (struct rpc_problem){0};
                return false;
        }
        return keep(found.id);
}
