/* Owns acknowledgements of clients: a worker passes them to the channel's service. Nothing is stored here. */
#include <string.h>
#include "gateway/stream.h"
#include "rpc/rate_limit.h"
#include "sonet/live.pb-c.h"

/* Under the lock, as the I/O thread may be ending the stream. The channel of a subscription; NULL: not subscribed. */
static struct stream_channel *subscribed_channel(const struct stream *s, const char *name)
{
        struct stream_channel *channel = NULL;

        pthread_mutex_lock(&s->hub->lock);
        for (const struct stream_sub *sub = s->subs; sub != NULL; sub = sub->next) {
                if (strcmp(sub->name, name) == 0) {
                        channel = sub->channel;
                }
        }
        pthread_mutex_unlock(&s->hub->lock);
        return channel;
}

static sn_status find_channel(struct rpc_call *c, const struct stream *s, const char *name,
                              struct stream_channel **channel)
{
        *channel = subscribed_channel(s, name);
        if (*channel == NULL) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "not_subscribed", "channel",
                                     "this stream is not subscribed to the channel; subscribe first");
        }
        return (*channel)->acknowledge != NULL
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "channel", "this channel does not take acknowledgements");
}

/* Positions beyond the log cannot have been received. */
static bool is_in_log(struct stream_log *log, const struct stream_since *since)
{

        pthread_mutex_lock(&log->hub->lock);
        bool there = since->n == 1 && strcmp(since->positions[0].log_id, log->log_id) == 0 &&
                     since->positions[0].position <= log->position;
        pthread_mutex_unlock(&log->hub->lock);
        return there;
}

static const char *value_of(const char *name)
{
        const char *colon = strchr(name, ':');

        return colon != NULL ? colon + 1 : "";
}

static sn_status tell_service(struct rpc_call *c, const struct stream_channel *channel, const char *name,
                              const struct stream_log_position *from)
{
        Sonet__Live__AcknowledgeRequest in = SONET__LIVE__ACKNOWLEDGE_REQUEST__INIT;

        in.channel = (char *)channel->subscribe->channel;
        in.value = (char *)value_of(name);
        in.user_id = (char *)c->actor;
        in.session_id = (char *)c->session;
        in.log_id = (char *)from->log_id;
        in.position = from->position;
        return rpc_invoke(c, channel->acknowledge, &in.base, contract_new_message(channel->acknowledge->out, c->arena));
}

sn_status stream_acknowledge(struct rpc_call *c, const struct stream *s, const char *name, const char *position)
{
        struct stream_channel *channel = NULL;
        struct stream_since since;

        TRY(find_channel(c, s, name, &channel));
        TRY(stream_since_read(c, "position", position, &since));
        if (!is_in_log(channel->log, &since)) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "cursor_invalid", "position",
                                     "not a position of this channel; use one from its messages");
        }
        c->method = channel->subscribe; /* these messages share its access rules and rate limit */
        TRY(rpc_take_rate(c, &(struct rate_verdict){0}));
        TRY(rpc_check_access(c));
        return tell_service(c, channel, name, &since.positions[0]);
}
