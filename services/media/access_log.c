/* Owns the accesses that this process has recorded but not yet written. Identical requests are counted together, and
 * all of some seconds are written by one statement (write_accesses.c). */
#include "services/media/access_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "services/media/store_access_logs.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* NULL while there are none, so that it costs no memory unless private media are fetched. */
static struct access_batch *waiting;

static bool is_same(const struct access_entry *e, const struct media_access *a)
{
        return e->granted == a->granted && strcmp(e->media_id, a->media_id) == 0 &&
               strcmp(e->viewer_id, a->viewer_id) == 0 && strcmp(e->variant, a->variant) == 0;
}

/* The lock must be held. NULL if the batch is full. */
static struct access_entry *entry_for(const struct media_access *a, int64_t now_ms)
{
        if (waiting == NULL && (waiting = calloc(1, sizeof(*waiting))) == NULL) {
                return NULL;
        }
        for (size_t i = 0; i < waiting->n; i++) {
                if (is_same(&waiting->entries[i], a)) {
                        return &waiting->entries[i];
                }
        }
        if (waiting->n == ACCESS_BATCH) {
                return NULL;
        }
        struct access_entry *e = &waiting->entries[waiting->n++];
        (void)snprintf(e->media_id, sizeof(e->media_id), "%s", a->media_id);
        (void)snprintf(e->owner_id, sizeof(e->owner_id), "%s", a->owner_id);
        (void)snprintf(e->viewer_id, sizeof(e->viewer_id), "%s", a->viewer_id);
        (void)snprintf(e->variant, sizeof(e->variant), "%s", a->variant);
        e->granted = a->granted;
        e->at_ms = now_ms;
        return e;
}

static bool count_access(const struct media_access *a, int64_t now_ms)
{
        (void)pthread_mutex_lock(&lock);
        struct access_entry *e = entry_for(a, now_ms);
        if (e != NULL) {
                e->times++;
        }
        (void)pthread_mutex_unlock(&lock);
        return e != NULL;
}

void access_log_add(struct rpc_call *c, const struct media_access *access)
{
        bool kept = count_access(access, c->now_ms);

        if (!kept && access_log_flush(c) == SN_OK) {
                kept = count_access(access, c->now_ms);
        }
        if (!kept) {
                log_event(LOG_LEVEL_WARN, "an access to a media that is not public could not be recorded",
                          LOG_STR("sonet.media_id", access->media_id));
        }
}

static struct access_batch *take_batch(void)
{
        (void)pthread_mutex_lock(&lock);
        struct access_batch *batch = waiting;
        waiting = NULL;
        (void)pthread_mutex_unlock(&lock);
        return batch;
}

static bool give_back(struct access_batch *batch)
{
        (void)pthread_mutex_lock(&lock);
        bool is_free = waiting == NULL;
        if (is_free) {
                waiting = batch;
        }
        (void)pthread_mutex_unlock(&lock);
        return is_free;
}

sn_status access_log_flush(struct rpc_call *c)
{
        struct access_batch *batch = take_batch();

        if (batch == NULL) {
                return SN_OK;
        }
        sn_status status = DB_WRITE(c, tx, store_insert_accesses(tx, batch));
        if (status != SN_OK && give_back(batch)) {
                return status;
        }
        if (status != SN_OK) {
                log_event(LOG_LEVEL_WARN, "accesses to media that are not public could not be written",
                          LOG_INT("sonet.lost", (int64_t)batch->n));
        }
        free(batch);
        return status;
}
