/* Owns waking other processes that share the processing queues when media are queued. Signals may be lost, as all are
 * while Redis is unreachable; then the jobs find the media later by polling. */
#include <string.h>
#include "base/uuid.h"
#include "bus/signals.h"
#include "services/jobs.h"
#include "services/media/process.h"

#define WAITING "media.waiting"

static struct bus_signals *signals;
static char self[UUID_SIZE]; /* this process, which ignores its own signals */

static const struct service_job *const jobs[] = {&media_process, &media_process_films, &process_pictures_polled,
                                                 &process_films_polled};

/* Jobs that this process does not run are ignored. */
static void wake_jobs(void *context, struct rpc_call *c, bus_event *signal)
{
        if (strcmp(signal->type, WAITING) != 0 || uuid_equal(signal->aggregate_id, self)) {
                return;
        }
        for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
                jobs_announce_now(jobs[i]);
        }
}

void wake_start(struct service *service)
{
        static const char *const sources[] = {"media"};

        uuid_new(self);
        signals = bus_signals_new(
            &(struct bus_signals_options){.service = service, .sources = sources, .n_sources = 1, .take = wake_jobs});
}

void wake_stop(void)
{
        bus_signals_free(signals);
        signals = NULL;
}

static void signal_waiting(void *context)
{
        struct rpc_call *c = context;

        bus_signal(c, &(struct outbox_event){.type = WAITING, .aggregate_id = self, .object_id = "", .actor_id = ""});
}

void wake_others(struct db_tx *tx)
{
        db_on_commit(tx, signal_waiting, db_call(tx));
}
