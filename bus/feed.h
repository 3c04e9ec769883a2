/* Feed: follows a source's log without storing a position, for code that passes events on and stores nothing. Like a
 * consumer it takes them from the stream, and after a gap or without Redis from the log with ReadOutbox. */
#ifndef BUS_FEED_H
#define BUS_FEED_H

#include "bus/bus.h"

struct bus_feed;

struct bus_feed_options {
        struct service *service; /* the service that reads, and whose Redis is used */
        const char *source;
        const struct rpc_method *read_outbox;
        uint32_t backlog_s; /* starts with events that were assigned a position in the last so many seconds */
        bool again;         /* also after the log was replaced or events were missed */
        /* Called on the feed's thread, with all events, each once and in order. old: they are from the backlog as of
         * the start. c is new for each batch. */
        void (*take)(void *context, struct rpc_call *c, bus_event **events, size_t n, bool old);
        /* Before the first event, and whenever the log was replaced (a backup) or events of it were missed: nothing
         * received before belongs to it. It continues after position; events up to old_until are old. */
        void (*begin)(void *context, const char *log_id, int64_t position, int64_t old_until);
        void *context;
};

struct bus_feed *bus_feed_new(const struct bus_feed_options *options);
/* Asks it to end; it takes no further batch. */
void bus_feed_stop(struct bus_feed *feed);
bool bus_feed_stopping(const struct bus_feed *feed);
/* Waits for the batch being handled. Takes NULL. */
void bus_feed_free(struct bus_feed *feed);

#endif
