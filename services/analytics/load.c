/* Stores the contents of the journal, a file at a time, in transactions of some thousand events, without pauses while
 * there are more files. After a crash at any point events are stored again, which count once. */
#include "services/analytics/analytics.h"

#include <errno.h>
#include <string.h>
#include "base/log.h"
#include "services/analytics/journal.h"
#include "services/analytics/store.h"

#define AT_ONCE    4000 /* few enough for the statement timeout on a busy machine */
#define RECORD_MAX 500  /* events per record (analytics_rows.proto) */

struct batch {
        AnalyticsRows__TakenEvent *events[AT_ONCE + RECORD_MAX];
        size_t n;
};

static void add_record(struct arena *arena, struct batch *batch, const uint8_t *record, size_t len)
{
        AnalyticsRows__TakenEvents *taken = (AnalyticsRows__TakenEvents *)protobuf_c_message_unpack(
            &sonet__analytics_rows__v1__taken_events__descriptor, arena_protobuf_allocator(arena), len, record);

        if (taken == NULL || taken->n_events > RECORD_MAX) {
                log_event(LOG_LEVEL_ERROR, "a record of the journal of events cannot be read");
                return;
        }
        for (size_t i = 0; i < taken->n_events; i++) {
                batch->events[batch->n++] = taken->events[i];
        }
}

/* Each transaction has its own memory, which is limited by its events. *end is JOURNAL_RECORD if there may be more. */
static sn_status load_batch(struct service *service, struct journal_file *file, enum journal_next *end)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, 30000);
        struct batch *batch = ARENA_NEW(c->arena, struct batch);
        const uint8_t *record = NULL;
        size_t len = 0;

        *end = JOURNAL_RECORD;
        while (batch->n < AT_ONCE && (*end = journal_read(file, &record, &len)) == JOURNAL_RECORD) {
                add_record(c->arena, batch, record, len);
        }
        if (*end == JOURNAL_UNREAD) {
                log_event(LOG_LEVEL_ERROR, "a file of the journal of events cannot be read now",
                          LOG_STR("file.path", file->path), LOG_STR("error.message", strerror(errno)));
                return SN_UNAVAILABLE;
        }
        return batch->n == 0 ? SN_OK
                             : DB_WRITE(c, tx, store_events(tx, batch->events, batch->n, analytics_min_group()));
}

/* SN_OK also for a damaged file; the records before the damage are stored. */
static sn_status load_file(struct service *service, struct journal_file *file, enum journal_next *end)
{
        do {
                TRY(load_batch(service, file, end));
        } while (*end == JOURNAL_RECORD);
        return SN_OK;
}

static void set_aside(struct journal_file *file)
{
        log_event(LOG_LEVEL_ERROR,
                  "a file of the journal of events is damaged: what follows the damage is not stored, and the file is "
                  "kept as .bad",
                  LOG_STR("file.path", file->path));
        journal_set_aside(file);
}

static sn_status load_journal(struct rpc_call *c, bool *more)
{
        struct journal_file file;
        enum journal_next end = JOURNAL_UNREAD;

        if (!journal_take(&file)) {
                return SN_OK;
        }
        sn_status status = load_file(c->service, &file, &end);

        if (status == SN_OK && end == JOURNAL_DAMAGED) {
                set_aside(&file);
        }
        *more = journal_release(&file, status == SN_OK && end == JOURNAL_END);
        return status;
}

const struct service_job analytics_load = {.name = "load_events", .every_s = 1, .eager = true, .run = load_journal};
