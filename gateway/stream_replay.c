/* Owns what a subscription that resumes has missed: a part at a time, so that a client takes each before the next one
 * is made. */
#include <string.h>
#include "gateway/stream.h"
#include "json/json.h"

static void write_event(struct rpc_call *c, struct stream_command *command, const struct stream_shown *shown,
                        int64_t event_position)
{
        const char *position = stream_position(c, command->log_id, event_position);
        const char *name = command->sub->name;

        stream_command_begin_message(command, position);
        buf_append_c(&command->out, "{\"type\":\"event\",\"channel\":");
        json_write_string(&command->out, name, strlen(name));
        stream_write_event_rest(&command->out, shown, position);
        stream_command_end_message(command);
}

static sn_status was_replaced(struct rpc_call *c)
{
        return rpc_fail(c, SN_UNAVAILABLE, NULL,
                        "events since this position are no longer kept; reload and subscribe again");
}

sn_status stream_replay(struct rpc_call *c, struct stream_command *command)
{
        struct stream *s = command->stream;
        struct stream_channel *channel = command->sub->channel;
        struct stream_log *log = channel->log;
        struct stream_shown *shown = NULL;
        char *viewers[] = {s->viewer};
        size_t n = 0, n_shown = 0;
        bus_event **events = NULL;
        bool there;

        pthread_mutex_lock(&s->hub->lock);
        there = strcmp(log->log_id, command->log_id) == 0 && command->after >= stream_kept_after(log);
        if (there) {
                events = stream_kept_events(c, log, command->after, STREAM_SHOWN_AT_ONCE, &n);
        }
        pthread_mutex_unlock(&s->hub->lock);
        if (!there) {
                return was_replaced(c);
        }
        if (n == 0) {
                return SN_OK;
        }
        TRY(stream_channel_show(c, channel, command->topic, events, n, viewers, 1, &shown, &n_shown));
        for (size_t i = 0; i < n_shown; i++) {
                write_event(c, command, &shown[i], events[shown[i].event]->position);
        }
        command->after = events[n - 1]->position;
        return SN_OK;
}
