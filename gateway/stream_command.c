/* Owns clients' messages on a stream: parsed, checked and answered by a worker, applied on the I/O thread. */
#include <stdlib.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "gateway/stream.h"
#include "json/json.h"
#include "rpc/rate_limit.h"
#include "sonet/live.rpc.h"

#define OUT_MAX_BYTES  (64 << 20) /* a part of a replay ends far below this, unless a single event is large */
#define CALL_MAX_BYTES (8 << 20)

/* ---- A command's memory ---- */

static void free_command(struct stream_command *command)
{
        free((char *)command->identity.viewer);
        free((char *)command->identity.session);
        free((char *)command->identity.scope);
        free((char *)command->identity.bearer);
        free(command->topic);
        free(command->unsubscribe);
        free(command->sub);
        buf_free(&command->out);
        free(command);
}

void stream_command_drop(struct stream_command *command)
{
        struct stream *s = command->stream;

        free_command(command);
        stream_unref(s);
}

/* ---- On a worker ---- */

static struct rpc_call *new_call(struct arena *arena, const struct stream_command *command)
{
        const struct stream *s = command->stream;
        struct rpc_call *c = ARENA_NEW(arena, struct rpc_call);

        *c = (struct rpc_call){
            .arena = arena,
            .service = &s->hub->gateway->service,
            .method = &stream_method,
            .actor = s->viewer,
            .session = s->session,
            .scope = s->scope,
            .caller = "",
            .bearer = s->bearer,
            .client_address = s->address,
            .user_agent = "",
            .trace_id = rpc_trace_id(arena, (struct str){0}),
            .request_id = s->request_id,
            .deadline_us = command->work.deadline_us,
            .now_ms = clock_wall_ms(),
        };
        return c;
}

void stream_command_begin_message(struct stream_command *command, const char *position)
{
        buf_append_c(&command->out, position);
        buf_append_char(&command->out, '\n');
}

void stream_command_end_message(struct stream_command *command)
{
        buf_append_char(&command->out, '\0');
}

static void answer_authenticated(struct stream_command *command, const struct stream_identity *identity)
{
        command->identity =
            (struct stream_identity){strdup(identity->viewer), strdup(identity->session), strdup(identity->scope),
                                     strdup(identity->bearer), identity->expires_s,       identity->epoch};
        stream_command_begin_message(command, "");
        stream_write_authenticated(&command->out, identity->viewer, identity->expires_s);
        stream_command_end_message(command);
}

static sn_status authenticate_stream(struct rpc_call *c, struct stream_command *command, const char *token)
{
        struct stream *s = command->stream;
        struct stream_identity identity;
        bool known = s->viewer[0] != '\0';

        TRY(rpc_take_rate(c, &(struct rate_verdict){0}));
        TRY(rpc_authenticate(c,
                             &(struct rpc_sender){.peer = s->address,
                                                  .authorization = str_of(arena_printf(c->arena, "Bearer %s", token)),
                                                  .audience = "gateway",
                                                  .certificate = ""}));
        TRY(stream_identity_of(c, &identity));
        if (known && !uuid_equal(identity.viewer, s->viewer)) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "another_member", "access_token",
                                     "this stream belongs to another member; open your own");
        }
        if (!known) {
                TRY(stream_count_member(c, s, identity.viewer));
        }
        answer_authenticated(command, &identity);
        return SN_OK;
}

/* The channel's service decides who may subscribe. */
static sn_status ask_topic(struct rpc_call *c, struct stream_hub *hub, const char *name,
                           struct stream_channel **channel, Sonet__Live__Topic *topic)
{
        ProtobufCMessage *in = NULL;

        TRY(stream_channel_parse(c, hub, str_of(name), channel, &in));
        c->method = (*channel)->subscribe;
        TRY(rpc_take_rate(c, &(struct rate_verdict){0}));
        TRY(rpc_check_access(c));
        return rpc_request(c, c->method, in, &topic->base);
}

sn_status stream_check_channel(struct rpc_call *c, struct stream_hub *hub, const char *name)
{
        Sonet__Live__Topic topic = SONET__LIVE__TOPIC__INIT;
        struct stream_channel *channel = NULL;

        return ask_topic(c, hub, name, &channel, &topic);
}

static struct stream_sub *new_sub(struct stream *s, struct stream_channel *channel, const char *name, bool personal)
{
        size_t len = strlen(name) + 1;
        struct stream_sub *sub = calloc(1, sizeof(*sub) + len);

        if (sub != NULL) {
                sub->stream = s;
                sub->number = ++s->last_number;
                sub->channel = channel;
                sub->personal = personal;
                memcpy(sub->name, name, len);
        }
        return sub;
}

/* Under the lock: the client may disconnect meanwhile, which frees its subscriptions. */
static bool has_room(struct stream *s, const char *name, int64_t most)
{
        pthread_mutex_lock(&s->hub->lock);
        bool room = s->n_subs < most;

        for (const struct stream_sub *sub = s->subs; sub != NULL && !room; sub = sub->next) {
                room = strcmp(sub->name, name) == 0;
        }
        pthread_mutex_unlock(&s->hub->lock);
        return room;
}

/* Everything after the position is still available: events are kept long enough, and the position names this log. */
static void resume_after(struct stream_command *command, const struct stream_since *since)
{
        struct stream_log *log = command->log;

        pthread_mutex_lock(&log->hub->lock);
        for (size_t i = 0; i < since->n && !command->resumes; i++) {
                const struct stream_log_position *from = &since->positions[i];

                command->resumes = strcmp(log->log_id, from->log_id) == 0 && from->position <= log->position &&
                                   from->position >= stream_kept_after(log);
                command->after = from->position;
                memcpy(command->log_id, from->log_id, UUID_SIZE);
        }
        pthread_mutex_unlock(&log->hub->lock);
}

static sn_status subscribe_channel(struct rpc_call *c, struct stream_command *command, const char *name,
                                   const char *given)
{
        struct stream *s = command->stream;
        int64_t most = s->hub->gateway->options.settings->stream_channels;
        Sonet__Live__Topic topic = SONET__LIVE__TOPIC__INIT;
        struct stream_channel *channel = NULL;
        struct stream_since since = {0};

        if (!has_room(s, name, most)) {
                return rpc_fail_code(
                    c, SN_RESOURCE_EXHAUSTED, "too_many_channels", "channel",
                    "this stream is already subscribed to %lld channels, the maximum; unsubscribe from one first",
                    (long long)most);
        }
        TRY(stream_since_read(c, "since", s->is_sse ? s->since : given, &since));
        TRY(ask_topic(c, s->hub, name, &channel, &topic));
        command->log = channel->log;
        if (command->log != NULL) {
                TRY(stream_hub_wait(c, command->log));
                resume_after(command, &since);
        }
        command->at_once = STREAM_SHOWN_AT_ONCE;
        command->topic = strdup(topic.key);
        command->sub = new_sub(s, channel, name, topic.personal);
        if (command->topic == NULL || command->sub == NULL) {
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory; try again later");
        }
        if (command->resumes) {
                const char *position = stream_position(c, command->log_id, command->after);

                stream_command_begin_message(command, position);
                stream_write_subscribed(&command->out, name, position, true);
                stream_command_end_message(command);
        }
        return SN_OK;
}

static sn_status run_authenticate(struct rpc_call *c, struct stream_command *command, const Sonet__Live__Command *in)
{
        return authenticate_stream(c, command, in->access_token);
}

static sn_status run_subscribe(struct rpc_call *c, struct stream_command *command, const Sonet__Live__Command *in)
{
        return subscribe_channel(c, command, in->channel, in->since);
}

static sn_status run_unsubscribe(struct rpc_call *c, struct stream_command *command, const Sonet__Live__Command *in)
{
        command->unsubscribe = strdup(in->channel);
        return SN_OK;
}

static sn_status run_acknowledge(struct rpc_call *c, struct stream_command *command, const Sonet__Live__Command *in)
{
        return stream_acknowledge(c, command->stream, in->channel, in->position);
}

/* The messages of clients: which members a type requires, and which it allows. */
static const struct kind {
        const char *type;
        sn_status (*run)(struct rpc_call *c, struct stream_command *command, const Sonet__Live__Command *in);
        const char *needs[2], *may;
} kinds[] = {
    {"authenticate", run_authenticate, {"access_token"}, NULL},
    {"subscribe", run_subscribe, {"channel"}, "since"},
    {"unsubscribe", run_unsubscribe, {"channel"}, NULL},
    {"acknowledge", run_acknowledge, {"channel", "position"}, NULL},
};

static bool is_name(const char *name, const char *of)
{
        return of != NULL && strcmp(name, of) == 0;
}

static sn_status check_members(struct rpc_call *c, const struct kind *kind, const Sonet__Live__Command *in)
{
        const struct {
                const char *name, *value;
        } members[] = {{"channel", in->channel},
                       {"since", in->since},
                       {"access_token", in->access_token},
                       {"position", in->position}};

        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
                const char *name = members[i].name;
                bool is_there = members[i].value[0] != '\0';
                bool needed = is_name(name, kind->needs[0]) || is_name(name, kind->needs[1]);

                if (needed && !is_there) {
                        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", name,
                                             "is required in a message of type %s", in->type);
                }
                if (is_there && !needed && !is_name(name, kind->may)) {
                        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", name,
                                             "is not allowed in a message of type %s", in->type);
                }
        }
        return SN_OK;
}

static sn_status obey(struct rpc_call *c, struct stream_command *command)
{
        Sonet__Live__Command in = SONET__LIVE__COMMAND__INIT;

        TRY(json_read_message(c, (struct str){command->text, command->len}, NULL, &live__command__message, &in.base));
        TRY(rpc_validate(c, &live__command__message, &in.base));
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                if (strcmp(in.type, kinds[i].type) == 0) {
                        TRY(check_members(c, &kinds[i], &in));
                        return kinds[i].run(c, command, &in);
                }
        }
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", "type",
                             "must be authenticate, subscribe, unsubscribe or acknowledge");
}

/* Under the lock: from now on events are sent. passed: the position for the id of a server-sent event. */
static void begin_here(struct stream_command *command, const char *position, const char *passed)
{
        stream_command_begin_message(command, passed);
        stream_write_subscribed(&command->out, command->sub->name, position, false);
        stream_command_end_message(command);
}

/* Under the lock: a subscription starts at the log's head, or after the replay once that is complete. */
static void register_sub(struct rpc_call *c, struct stream_command *command)
{
        struct stream_sub *sub = command->sub;
        struct stream_log *log = sub->channel->log;
        const char *topic = command->topic;

        if (command->resumes && command->after < log->position) {
                command->again = true;
                return;
        }
        if (log == NULL) {
                begin_here(command, "", "");
        } else if (!command->resumes) {
                command->after = log->position;
                begin_here(command, stream_position(c, log->log_id, log->position),
                           stream_position(c, log->log_id, log->delivered));
        }
        if (sub->personal) {
                topic = arena_printf(c->arena, "%s:%s", topic, sub->stream->viewer);
        }
        stream_hub_register(sub->stream->hub, sub, topic, command->after);
}

/* From here on the I/O thread owns the command. Later messages of the subscription are posted after it. */
static void hand_back(struct rpc_call *c, struct stream_command *command, bool ok)
{
        struct stream_hub *hub = command->stream->hub;

        command->task.run = stream_command_done;
        command->again = false;
        pthread_mutex_lock(&hub->lock);
        if (ok && command->sub != NULL) {
                register_sub(c, command);
        } else if (command->sub != NULL) {
                free(command->sub);
                command->sub = NULL;
        }
        bool posted = stream_hub_post(hub, &command->task);
        if (!posted && command->sub != NULL) {
                stream_hub_unregister(hub, command->sub);
        }
        pthread_mutex_unlock(&hub->lock);
        if (!posted) {
                stream_command_drop(command);
        }
        pthread_mutex_lock(&hub->lock); /* the last access to it */
        if (--hub->n_commands == 0) {
                pthread_cond_broadcast(&hub->idle);
        }
        pthread_mutex_unlock(&hub->lock);
}

void stream_command_run(struct work *work, bool expired)
{
        struct stream_command *command = (struct stream_command *)work;
        CLEANUP(arena_free_p) struct arena *arena = arena_new(CALL_MAX_BYTES);

        if (arena == NULL) {
                abort();
        }
        struct rpc_call *c = new_call(arena, command);
        bool replays = command->topic != NULL;
        sn_status status;

        buf_init(&command->out, OUT_MAX_BYTES);
        if (expired) {
                status = rpc_fail(c, SN_DEADLINE_EXCEEDED, NULL, "the message waited too long; try again");
        } else {
                status = replays ? stream_replay(c, command) : obey(c, command);
        }
        if (status != SN_OK) {
                command->fails = replays || command->stream->is_sse;
                buf_reset(&command->out);
                stream_command_begin_message(command, "");
                stream_write_problem(&command->out, c, &c->problem, command->stream->request_id);
                stream_command_end_message(command);
        }
        hand_back(c, command, status == SN_OK);
}
