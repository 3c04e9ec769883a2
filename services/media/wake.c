/* Owns waking the jobs of the processing queues, here and in other processes, when media are queued. Signals may be
 * lost, as all are while Redis is unreachable; then the jobs find the media by polling. */
#include <stdatomic.h>
#include <string.h>
#include "base/clock.h"
#include "base/uuid.h"
#include "bus/signals.h"
#include "services/jobs.h"
#include "services/media/process.h"

#define WAITING "media.waiting" /* its object: the queue */

enum { POLL_MS = 1000, N_QUEUES = 2 };

/* By is_long. */
static const struct service_job *const jobs[N_QUEUES] = {&media_process, &media_process_films};
static const char *const names[N_QUEUES] = {"pictures", "films"};
static _Atomic int64_t last_poll_ms[N_QUEUES];

static struct bus_signals *signals;
static atomic_bool is_connected; /* signals of other processes arrive */
static char self[UUID_SIZE];     /* this process, which ignores its own signals */

/* Jobs that this process does not run are ignored. */
static void wake_jobs(void *context, struct rpc_call *c, bus_event *signal)
{
        if (strcmp(signal->type, WAITING) != 0 || uuid_equal(signal->aggregate_id, self)) {
                return;
        }
        for (size_t i = 0; i < N_QUEUES; i++) {
                if (strcmp(signal->object_id, names[i]) == 0) {
                        jobs_announce_now(jobs[i]);
                }
        }
}

/* A slot of each queue looks for what was queued without a signal, and then polls if the connection was lost. */
static void note_connection(void *context, bool connected)
{
        atomic_store(&is_connected, connected);
        for (size_t i = 0; i < N_QUEUES; i++) {
                jobs_announce_now(jobs[i]);
        }
}

void wake_start(struct service *service)
{
        static const char *const sources[] = {"media"};

        uuid_new(self);
        signals = bus_signals_new(&(struct bus_signals_options){
            .service = service, .sources = sources, .n_sources = 1, .take = wake_jobs, .connected = note_connection});
}

void wake_stop(void)
{
        bus_signals_free(signals);
        signals = NULL;
}

static void signal_waiting(struct rpc_call *c, bool is_long)
{
        bus_signal(c, &(struct outbox_event){
                          .type = WAITING, .aggregate_id = self, .object_id = names[is_long], .actor_id = ""});
}

static void signal_picture(void *context)
{
        signal_waiting(context, false);
}

static void signal_film(void *context)
{
        signal_waiting(context, true);
}

void wake_announce(struct db_tx *tx, bool is_long)
{
        jobs_announce(tx, jobs[is_long]);
        db_on_commit(tx, is_long ? signal_film : signal_picture, db_call(tx));
}

/* Idle slots take turns, so that together they poll once per POLL_MS. Turns that a slot took and then did not need,
 * since it was woken before, do not push others' beyond one round. */
int64_t wake_poll_ms(bool is_long, int n_slots, int64_t wait_ms)
{
        int64_t now_ms = clock_monotonic_us() / 1000, latest_ms = now_ms + (int64_t)n_slots * POLL_MS;
        int64_t last_ms = atomic_load(&last_poll_ms[is_long]), turn_ms = 0;

        if (atomic_load(&is_connected)) {
                return wait_ms;
        }
        do {
                turn_ms = (last_ms > now_ms ? last_ms : now_ms) + POLL_MS;
                turn_ms = turn_ms > latest_ms ? latest_ms : turn_ms;
        } while (!atomic_compare_exchange_weak(&last_poll_ms[is_long], &last_ms, turn_ms));
        return turn_ms - now_ms < wait_ms ? turn_ms - now_ms : wait_ms;
}
