/* Owns finding the subscriptions that an event may concern. */
#include <stdlib.h>
#include <string.h>
#include "gateway/stream_batch.h"

bool stream_origin_feeds(const struct stream_origin *origin, const struct stream_channel *channel)
{
        return channel->log == origin->log && channel->route == origin->route;
}

bool stream_origin_is_wanted(struct stream_hub *hub, const struct stream_origin *origin)
{
        size_t n = 0;

        pthread_mutex_lock(&hub->lock);
        for (size_t i = 0; i < hub->n_channels; i++) {
                n += stream_origin_feeds(origin, &hub->channels[i]) ? hub->channels[i].n_subscribed : 0;
        }
        pthread_mutex_unlock(&hub->lock);
        return n > 0;
}

static void add_target(struct stream_targets *targets, const struct stream_sub *sub, const char *topic)
{
        if (targets->n == targets->capacity) {
                size_t capacity = targets->capacity == 0 ? 64 : targets->capacity * 2;
                struct stream_target *larger = realloc(targets->items, capacity * sizeof(struct stream_target));

                if (larger == NULL) {
                        abort();
                }
                targets->items = larger;
                targets->capacity = capacity;
        }
        struct stream_target *t = &targets->items[targets->n++];

        *t = (struct stream_target){sub->channel, topic, "", sub->stream->id, sub->number};
        memcpy(t->viewer, sub->stream->viewer, UUID_SIZE);
}

static const char *base_topic(struct arena *arena, const struct stream_sub *sub, const char *topic)
{
        size_t len = strlen(topic);

        return sub->personal && len >= UUID_SIZE ? arena_strndup(arena, topic, len - UUID_SIZE) : topic;
}

static int compare_targets(const void *a, const void *b)
{
        const struct stream_target *x = a, *y = b;
        int order = x->channel != y->channel ? (x->channel < y->channel ? -1 : 1) : strcmp(x->topic, y->topic);

        return order != 0 ? order : strcmp(x->viewer, y->viewer);
}

void stream_targets_find(struct rpc_call *c, struct stream_hub *hub, const struct stream_origin *origin,
                         const Sonet__Live__Routes *routes, struct stream_targets *targets)
{
        pthread_mutex_lock(&hub->lock);
        for (size_t i = 0; i < routes->n_topics; i++) {
                const struct stream_sub *sub = stream_table_find(hub->topics, routes->topics[i]);

                for (; sub != NULL; sub = sub->topic_next) {
                        if (stream_origin_feeds(origin, sub->channel) &&
                            (origin->log == NULL || sub->from < origin->position)) {
                                add_target(targets, sub, base_topic(c->arena, sub, routes->topics[i]));
                        }
                }
        }
        pthread_mutex_unlock(&hub->lock);
        if (targets->n > 0) {
                qsort(targets->items, targets->n, sizeof(struct stream_target), compare_targets);
        }
}

size_t stream_targets_alike(const struct stream_target *targets, size_t n, size_t most_viewers)
{
        size_t viewers = 1, i = 1;

        for (; i < n && targets[i].channel == targets[0].channel && strcmp(targets[i].topic, targets[0].topic) == 0;
             i++) {
                viewers += strcmp(targets[i].viewer, targets[i - 1].viewer) != 0;
                if (viewers > most_viewers) {
                        break;
                }
        }
        return i;
}
