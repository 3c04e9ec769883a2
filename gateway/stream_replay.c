/* Owns replaying what a resumed subscription has missed, one part at a time: the next part is made when the client
 * has read the last one. */
#include <string.h>
#include "gateway/stream.h"
#include "json/json.h"

#define PORTION_MAX_BYTES (1 << 20)

/* The kept events after the command's position. */
struct missed {
        bus_event **events;
        size_t n;
        int64_t delivered;
};

static sn_status find_missed(struct rpc_call *c, const struct stream_command *command, struct missed *out)
{
        struct stream_log *log = command->log;

        pthread_mutex_lock(&log->hub->lock);
        bool there = strcmp(log->log_id, command->log_id) == 0 && command->after >= stream_kept_after(log);
        if (there) {
                out->events = stream_kept_events(c, log, command->after, command->at_once, &out->n);
        }
        out->delivered = log->delivered;
        pthread_mutex_unlock(&log->hub->lock);
        return there ? SN_OK
                     : rpc_fail(c, SN_UNAVAILABLE, NULL,
                                "events since this position are no longer kept; reload and subscribe again");
}

/* Another channel may still have to get an event at this position, so the id of a server-sent event does not pass
 * it. */
static void write_event(struct rpc_call *c, struct stream_command *command, const struct stream_shown *shown,
                        int64_t position, int64_t delivered)
{
        const char *text = stream_position(c, command->log_id, position), *name = command->sub->name;

        stream_command_begin_message(command,
                                     position <= delivered ? text : stream_position(c, command->log_id, delivered));
        buf_append_c(&command->out, "{\"type\":\"event\",\"channel\":");
        json_write_string(&command->out, name, strlen(name));
        stream_write_event_rest(&command->out, shown, text);
        stream_command_end_message(command);
}

/* Half of the unread limit, so that a client that reads in time is not disconnected because of other messages. */
static size_t portion_bytes(const struct stream_command *command)
{
        size_t half = (size_t)command->stream->hub->gateway->options.settings->stream_unsent_bytes / 2;

        return half < PORTION_MAX_BYTES ? half : PORTION_MAX_BYTES;
}

/* Returns how many events fit into a part, at least one. */
static size_t write_portion(struct rpc_call *c, struct stream_command *command, const struct missed *missed,
                            const struct stream_shown *shown, size_t n_shown)
{
        for (size_t i = 0; i < n_shown; i++) {
                uint32_t event = shown[i].event;

                if (event > 0 && command->out.len >= portion_bytes(command)) {
                        return event;
                }
                write_event(c, command, &shown[i], missed->events[event]->position, missed->delivered);
        }
        return missed->n;
}

/* The response was too large for one call: retry with fewer events. */
static sn_status show_fewer(struct stream_command *command, size_t n)
{
        command->at_once = n / 2;
        return SN_OK;
}

sn_status stream_replay(struct rpc_call *c, struct stream_command *command)
{
        char *viewers[] = {command->stream->viewer};
        struct stream_shown *shown = NULL;
        struct missed missed = {0};
        size_t n_shown = 0;

        TRY(find_missed(c, command, &missed));
        if (missed.n == 0) {
                return SN_OK;
        }
        sn_status status = stream_channel_show(c, command->sub->channel, command->topic, missed.events, missed.n,
                                               viewers, 1, &shown, &n_shown);

        if (status == SN_RESOURCE_EXHAUSTED && missed.n > 1) {
                return show_fewer(command, missed.n);
        }
        TRY(status);
        size_t n = write_portion(c, command, &missed, shown, n_shown);

        if (command->out.overflow) {
                return rpc_fail(c, SN_INTERNAL, NULL, "an event is too large to send");
        }
        command->after = missed.events[n - 1]->position;
        command->at_once = n < missed.n ? n : 2 * n < STREAM_SHOWN_AT_ONCE ? 2 * n : STREAM_SHOWN_AT_ONCE;
        return SN_OK;
}
