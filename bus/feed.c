/* Owns how a feed reads: when the stream, when the log. */
#include "bus/feed.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/ticker.h"
#include "bus/stream_entry.h"
#include "bus/stream_link.h"
#include "rpc/rpc.h"

#define CALL_MS     5000
#define PAGE        500
#define WITHOUT_MS  200     /* interval for polling the log without a stream */
#define MISTRUST_US 1000000 /* a stream that does not continue the log is ignored for this long */

struct bus_feed {
        struct bus_feed_options options;
        struct ticker *ticker;
        atomic_bool stopping;
        char log_id[UUID_SIZE]; /* "": not begun */
        int64_t position;       /* taken up to here */
        int64_t old_until;      /* the log's end when it began */
        struct stream_link stream;
        int64_t heard_us, mistrusted_until_us;
        bool behind; /* the log has more than the stream */
};

static void deliver_events(struct bus_feed *feed, struct rpc_call *c, bus_event **events, size_t n)
{
        size_t n_old = 0;

        while (n_old < n && events[n_old]->position <= feed->old_until) {
                n_old++;
        }
        if (n_old > 0) {
                feed->options.take(feed->options.context, c, events, n_old, true);
        }
        if (n > n_old) {
                feed->options.take(feed->options.context, c, events + n_old, n - n_old, false);
        }
        if (n > 0) {
                feed->position = events[n - 1]->position;
        }
}

/* ---- The log ---- */

static sn_status read_outbox(struct bus_feed *feed, struct rpc_call *c, Sonet__Events__ReadOutboxResponse *out)
{
        Sonet__Events__ReadOutboxRequest in = SONET__EVENTS__READ_OUTBOX_REQUEST__INIT;

        in.after = feed->position;
        in.since_s = feed->log_id[0] == '\0' ? feed->options.backlog_s : 0;
        in.limit = PAGE;
        return rpc_invoke(c, feed->options.read_outbox, &in.base, &out->base);
}

static bool continues_log(const struct bus_feed *feed, const Sonet__Events__ReadOutboxResponse *out)
{
        return strcmp(feed->log_id, out->log_id) == 0 && feed->position <= out->head &&
               out->oldest <= feed->position + 1;
}

/* Takes the backlog the first time; later only new events. */
static void begin_log(struct bus_feed *feed, const Sonet__Events__ReadOutboxResponse *out)
{
        bool first = feed->log_id[0] == '\0';

        (void)snprintf(feed->log_id, sizeof(feed->log_id), "%s", out->log_id);
        feed->position = first && out->n_events > 0 ? out->events[0]->position - 1 : out->head;
        feed->old_until = out->head;
        feed->options.begin(feed->options.context, feed->log_id, feed->position, feed->old_until);
}

/* The log is next read as if for the first time. */
static void start_over(struct bus_feed *feed)
{
        feed->log_id[0] = '\0';
        feed->position = 0;
        feed->behind = true;
}

static sn_status read_log(struct bus_feed *feed)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(feed->options.service, CALL_MS);
        Sonet__Events__ReadOutboxResponse out = SONET__EVENTS__READ_OUTBOX_RESPONSE__INIT;
        size_t known = 0;

        TRY(read_outbox(feed, c, &out));
        feed->heard_us = clock_monotonic_us();
        if (!continues_log(feed, &out)) {
                if (feed->options.again && feed->log_id[0] != '\0') {
                        start_over(feed);
                        return SN_OK;
                }
                begin_log(feed, &out);
        }
        while (known < out.n_events && out.events[known]->position <= feed->position) {
                known++;
        }
        deliver_events(feed, c, out.events + known, out.n_events - known);
        feed->behind = feed->position < out.head;
        return SN_OK;
}

/* ---- The stream ---- */

/* Delivers the entries that continue the log, up to the first one that does not: then false. */
static bool read_entries(struct bus_feed *feed, struct rpc_call *c, const struct stream_entries *entries,
                         bus_event **events, size_t *n)
{
        int64_t position = feed->position;

        for (size_t i = 0; i < entries->n; i++) {
                const struct stream_entry *entry = &entries->items[i];

                if (!str_equal_c(entry->log_id, feed->log_id)) {
                        return false;
                }
                if (entry->position <= position) {
                        continue;
                }
                events[*n] = entry->position == position + 1 ? bus_stream_event(c, feed->options.source, entry) : NULL;
                if (events[*n] == NULL) {
                        return false;
                }
                position = events[(*n)++]->position;
        }
        return true;
}

static void take_entries(struct bus_feed *feed, struct rpc_call *c, const struct stream_entries *entries)
{
        bus_event **events = ARENA_ARRAY(c->arena, bus_event *, entries->n);
        size_t n = 0;
        bool whole = read_entries(feed, c, entries, events, &n);

        feed->heard_us = clock_monotonic_us();
        bus_link_hears(&feed->stream);
        deliver_events(feed, c, events, n);
        if (!whole) {
                feed->behind = true;
                feed->mistrusted_until_us = n == 0 ? feed->heard_us + MISTRUST_US : 0;
        }
}

static sn_status read_stream(struct bus_feed *feed)
{
        int wait_ms = (int)((feed->heard_us + feed->stream.quiet_us - clock_monotonic_us()) / 1000) + 1;
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(feed->options.service, BUS_STREAM_CALL_MS(wait_ms));
        struct stream_entries entries;

        TRY(bus_stream_wait(c, &feed->stream, feed->options.source, feed->position, wait_ms, &entries));
        if (entries.n > 0) {
                take_entries(feed, c, &entries);
        }
        return SN_OK;
}

/* ---- The thread ---- */

/* Returns the ms until the next one. */
static int64_t look_into_log(struct bus_feed *feed, bool streams)
{
        int64_t position = feed->position;

        if (read_log(feed) != SN_OK) {
                return WITHOUT_MS;
        }
        if (streams && !feed->behind && feed->position == position) {
                bus_link_hears_nothing(&feed->stream);
        } else {
                bus_link_hears(&feed->stream);
        }
        return feed->behind || streams ? 0 : WITHOUT_MS;
}

static int64_t read_feed(void *context)
{
        struct bus_feed *feed = context;
        int64_t now_us = clock_monotonic_us();

        if (bus_feed_stopping(feed)) {
                return TICKER_IDLE;
        }
        bool streams = bus_link_open(&feed->stream) && feed->log_id[0] != '\0' && now_us >= feed->mistrusted_until_us;

        if (!streams || feed->behind || now_us - feed->heard_us >= feed->stream.quiet_us) {
                return look_into_log(feed, streams);
        }
        if (read_stream(feed) != SN_OK) {
                bus_link_close(&feed->stream);
        }
        return 0;
}

struct bus_feed *bus_feed_new(const struct bus_feed_options *options)
{
        struct bus_feed *feed = calloc(1, sizeof(*feed));

        if (feed == NULL) {
                abort();
        }
        feed->options = *options;
        bus_link_init(&feed->stream, options->service->redis);
        feed->ticker = ticker_new("feed", read_feed, feed);
        return feed;
}

void bus_feed_stop(struct bus_feed *feed)
{
        atomic_store(&feed->stopping, true);
        bus_link_end(&feed->stream);
}

bool bus_feed_stopping(const struct bus_feed *feed)
{
        return atomic_load(&feed->stopping);
}

void bus_feed_free(struct bus_feed *feed)
{
        if (feed == NULL) {
                return;
        }
        bus_feed_stop(feed);
        ticker_free(feed->ticker);
        bus_link_destroy(&feed->stream);
        free(feed);
}
