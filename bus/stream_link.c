/* Owns when a reader's connection to the streams is opened and closed. */
#include "bus/stream_link.h"

#include "base/clock.h"
#include "bus/tail.h"

#define RETRY_US   500000
#define TIMEOUT_MS 1000

void bus_link_init(struct stream_link *link, struct redis *redis)
{
        *link = (struct stream_link){.redis = redis, .quiet_us = BUS_QUIET_US};
        (void)pthread_mutex_init(&link->lock, NULL);
}

/* A stop that comes while the connection is being opened finds none to shut down, so it is checked for afterwards. */
static void keep_connection(struct stream_link *link, struct redis_link *opened)
{
        (void)pthread_mutex_lock(&link->lock);
        bool ended = link->ended;

        link->link = ended ? NULL : opened;
        (void)pthread_mutex_unlock(&link->lock);
        if (ended) {
                redis_link_close(opened);
        }
}

bool bus_link_open(struct stream_link *link)
{
        int64_t now_us = clock_monotonic_us();
        struct redis_link *opened;

        if (link->link == NULL && link->redis != NULL && now_us >= link->retry_us) {
                link->retry_us = now_us + RETRY_US;
                if (redis_link_open(link->redis, TIMEOUT_MS, &opened) == SN_OK) {
                        keep_connection(link, opened);
                }
        }
        return link->link != NULL;
}

void bus_link_close(struct stream_link *link)
{
        (void)pthread_mutex_lock(&link->lock);
        struct redis_link *closed = link->link;

        link->link = NULL;
        (void)pthread_mutex_unlock(&link->lock);
        redis_link_close(closed);
        bus_link_hears(link);
}

void bus_link_end(struct stream_link *link)
{
        (void)pthread_mutex_lock(&link->lock);
        link->ended = true;
        if (link->link != NULL) {
                redis_link_shut_down(link->link);
        }
        (void)pthread_mutex_unlock(&link->lock);
        bus_tail_wake();
}

bool bus_link_has_ended(struct stream_link *link)
{
        (void)pthread_mutex_lock(&link->lock);
        bool ended = link->ended;

        (void)pthread_mutex_unlock(&link->lock);
        return ended;
}

void bus_link_destroy(struct stream_link *link)
{
        redis_link_close(link->link);
        (void)pthread_mutex_destroy(&link->lock);
}

void bus_link_hears(struct stream_link *link)
{
        link->quiet_us = BUS_QUIET_US;
}

void bus_link_hears_nothing(struct stream_link *link)
{
        link->quiet_us = link->quiet_us * 2 < BUS_QUIET_MOST_US ? link->quiet_us * 2 : BUS_QUIET_MOST_US;
}
