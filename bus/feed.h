/* Feed: follows a source's log without keeping a position: for who passes events on and stores nothing. It takes them
 * from the stream, and from the log by ReadOutbox on a gap or without Redis, as consumers do. */
#ifndef BUS_FEED_H
#define BUS_FEED_H

#include "bus/bus.h"

struct bus_feed;

struct bus_feed_options {
        struct service *service; /* in whose name it asks, and whose Redis it reads */
        const char *source;
        const struct rpc_method *read_outbox;
        uint32_t backlog_s; /* starts with what was assigned a position in the last seconds */
        bool again;         /* so does a log that replaced another one, or of which something was missed */
        /* Called on the feed's thread, with all events, each once and in order. old: those of the backlog, as far as
         * they were there when it began. c is new for each batch. */
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
/* Waits for the batch that is taken. Takes NULL. */
void bus_feed_free(struct bus_feed *feed);

#endif
