/* Owns the messages for an event: made on the thread that follows the log, sent on the I/O thread. */
#include "gateway/stream_batch.h"

#include <stdlib.h>
#include <string.h>
#include "base/metrics.h"
#include "json/json.h"

void stream_batch_free(struct stream_batch *batch)
{
        if (batch->in_flight != NULL) {
                atomic_fetch_sub(batch->in_flight, 1);
        }
        buf_free(&batch->text);
        free(batch->items);
        free(batch);
}

/* Several channels may have the same event, so its position counts as passed only with the next event, and never
 * while a channel is being subscribed to. */
static void send_text(const struct stream_batch *batch, struct stream *s, const char *text, size_t len)
{
        if (batch->log == NULL) {
                stream_send_lossy(s, text, len);
        } else if (s->command != NULL) {
                stream_send(s, text, len);
        } else {
                stream_send_at(s, text, len, batch->log, s->n_subs > 1 ? batch->before : batch->position, true);
        }
        metric_add(s->hub->metrics.events, 1);
}

/* The message that was written last: many subscribers of a channel are sent the same. */
struct written {
        struct buf text; /* empty at first */
        size_t at;
        char *channel; /* a copy, since sending may end a stream */
};

static void free_message(struct written *w)
{
        buf_free(&w->text);
        free(w->channel);
        w->channel = NULL;
}

static void write_message(struct written *w, const struct stream_batch *batch, const struct stream_delivery *d,
                          const char *channel)
{
        if (w->text.len > 0 && w->at == d->at && strcmp(w->channel, channel) == 0) {
                return;
        }
        free_message(w);
        buf_init(&w->text, d->len + 2 * STREAM_MESSAGE_BYTES);
        buf_append_c(&w->text, "{\"type\":\"event\",\"channel\":");
        json_write_string(&w->text, channel, strlen(channel));
        buf_append(&w->text, batch->text.data + d->at, d->len);
        w->at = d->at;
        w->channel = strdup(channel);
        if (w->channel == NULL) {
                abort();
        }
}

/* On the I/O thread. */
static void send_batch(struct http_task *task)
{
        struct stream_batch *batch = (struct stream_batch *)task;
        struct written written = {0};

        for (size_t i = 0; i < batch->n; i++) {
                struct stream *s = stream_hub_find(batch->hub, batch->items[i].stream);
                const struct stream_sub *sub = s != NULL ? stream_find_sub(s, batch->items[i].sub) : NULL;

                if (sub != NULL && batch->fails) {
                        stream_end(s, WEBSOCKET_INTERNAL_ERROR, "an event could not be rendered; reconnect and resume",
                                   NULL);
                } else if (sub != NULL) {
                        write_message(&written, batch, &batch->items[i], sub->name);
                        send_text(batch, s, written.text.data, written.text.len);
                }
        }
        free_message(&written);
        stream_batch_free(batch);
}

void stream_batch_post(struct stream_batch *batch)
{
        struct stream_hub *hub = batch->hub;

        batch->task.run = send_batch;
        pthread_mutex_lock(&hub->lock);
        bool posted = batch->n > 0 && stream_hub_post(hub, &batch->task);
        pthread_mutex_unlock(&hub->lock);
        if (!posted) {
                stream_batch_free(batch);
        }
}

struct stream_batch *stream_batch_new(struct stream_hub *hub, const struct stream_log *log, size_t most,
                                      size_t max_bytes)
{
        struct stream_batch *batch = calloc(1, sizeof(*batch));
        struct stream_delivery *items = calloc(most, sizeof(*items));

        if (batch == NULL || items == NULL) {
                abort();
        }
        batch->hub = hub;
        batch->log = log;
        batch->items = items;
        buf_init(&batch->text, max_bytes);
        return batch;
}

/* The targets are sorted by viewer. */
sn_status stream_batch_show(struct rpc_call *c, struct stream_batch *batch, bus_event *event,
                            const struct stream_target *targets, size_t n)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, n);
        size_t *first = ARENA_ARRAY(c->arena, size_t, n + 1); /* of each viewer's targets */
        size_t n_viewers = 0, n_shown = 0, at = 0;
        struct stream_shown *shown = NULL;

        for (size_t i = 0; i < n; i++) {
                if (i == 0 || strcmp(targets[i].viewer, targets[i - 1].viewer) != 0) {
                        first[n_viewers] = i;
                        viewers[n_viewers++] = (char *)targets[i].viewer;
                }
        }
        first[n_viewers] = n;
        TRY(stream_channel_show(c, targets[0].channel, targets[0].topic, &event, 1, viewers, n_viewers, &shown,
                                &n_shown));
        for (size_t k = 0; k < n_shown; k++) {
                if (k == 0 ||
                    shown[k].data != shown[k - 1].data) { /* a service in this process may show many the same */
                        at = batch->text.len;
                        stream_write_event_rest(&batch->text, &shown[k], batch->position);
                }
                for (size_t i = first[shown[k].viewer]; i < first[shown[k].viewer + 1]; i++) {
                        batch->items[batch->n++] =
                            (struct stream_delivery){targets[i].stream, targets[i].sub, at, batch->text.len - at};
                }
        }
        return SN_OK;
}
