/* Owns clients' messages on the I/O thread: handing them to workers, and applying the results. */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "gateway/stream.h"
#include "json/json.h"
#include "rpc/lanes.h"

#define TRY_AGAIN_LATER 1013 /* a registered close code */

static bool submit_command(struct stream_command *command)
{
        struct stream_hub *hub = command->stream->hub;

        command->work = (struct work){.run = stream_command_run,
                                      .deadline_us = clock_monotonic_us() + STREAM_COMMAND_MS * INT64_C(1000)};
        pthread_mutex_lock(&hub->lock);
        hub->n_commands++;
        pthread_mutex_unlock(&hub->lock);
        if (workers_submit(rpc_lanes_of_request(hub->gateway->options.lanes, NULL), &command->work)) {
                return true;
        }
        pthread_mutex_lock(&hub->lock);
        hub->n_commands--;
        pthread_mutex_unlock(&hub->lock);
        return false;
}

/* Ends the stream, as the client would otherwise wait for an answer. */
static void end_queue_full(struct stream *s)
{
        stream_end(s, TRY_AGAIN_LATER, "queue_full",
                   &(struct rpc_problem){SN_RESOURCE_EXHAUSTED, "queue_full", NULL,
                                         "the server is busy; try again in a second", 1, NULL});
}

bool stream_command_start(struct stream *s, struct str text)
{
        struct stream_command *command = calloc(1, sizeof(*command) + text.len + 1);

        if (command == NULL) {
                end_queue_full(s);
                return false;
        }
        command->stream = s;
        command->len = text.len;
        memcpy(command->text, text.ptr, text.len);
        s->command = command;
        atomic_fetch_add(&s->references, 1);
        if (!submit_command(command)) {
                s->command = NULL;
                stream_command_drop(command);
                end_queue_full(s);
                return false;
        }
        return true;
}

static void write_member(struct buf *out, const char *name, struct str value)
{
        buf_printf(out, ",\"%s\":", name);
        json_write_string(out, value.ptr, value.len);
}

void stream_command_next(struct stream *s)
{
        struct str rest = str_of(s->wanted), name;
        struct buf text;

        if (s->wanted == NULL || s->closing || !str_next(&rest, ',', &name)) {
                return;
        }
        buf_init(&text, STREAM_MESSAGE_BYTES);
        buf_append_c(&text, "{\"type\":\"subscribe\"");
        write_member(&text, "channel", name);
        buf_append_char(&text, '}');
        memmove(s->wanted, rest.ptr, rest.len);
        s->wanted[rest.len] = '\0';
        (void)stream_command_start(s, (struct str){text.data, text.len});
        buf_free(&text);
}

static void replace_text(char **text, const char **by)
{
        free(*text);
        *text = (char *)*by;
        *by = NULL;
}

static void apply_identity(struct stream *s, struct stream_command *command)
{
        struct stream_identity *identity = &command->identity;

        if (identity->viewer == NULL) {
                return;
        }
        memcpy(s->session, identity->session, strlen(identity->session) + 1);
        memcpy(s->scope, identity->scope, strlen(identity->scope) + 1);
        replace_text(&s->bearer, &identity->bearer);
        s->expires_s = identity->expires_s;
        s->epoch = identity->epoch;
        stream_renew_due(s);
        stream_end_if_revoked(s);
}

static void remove_sub(struct stream *s, const char *name)
{
        struct stream_sub **at = &s->subs;

        while (*at != NULL && strcmp((*at)->name, name) != 0) {
                at = &(*at)->next;
        }
        if (*at != NULL) {
                struct stream_sub *sub = *at;

                *at = sub->next;
                s->n_subs--;
                pthread_mutex_lock(&s->hub->lock);
                stream_hub_unregister(s->hub, sub);
                pthread_mutex_unlock(&s->hub->lock);
                free(sub);
        }
}

static void apply_sub(struct stream *s, struct stream_command *command)
{
        if (command->unsubscribe != NULL) {
                remove_sub(s, command->unsubscribe);
        }
        if (command->sub != NULL && !command->again) {
                remove_sub(s, command->sub->name);
                command->sub->next = s->subs;
                s->subs = command->sub;
                s->n_subs++;
                command->sub = NULL;
        }
}

/* Server-sent events resume all channels from one id: it is valid once the last channel is subscribed. */
static void send_all(struct stream *s, const struct stream_command *command)
{
        const struct buf *out = &command->out;
        bool is_last = s->wanted == NULL || s->wanted[0] == '\0';

        for (char *message = out->data; message != NULL && message < out->data + out->len;) {
                char *text = strchr(message, '\n');
                size_t len = strlen(text + 1);

                *text++ = '\0';
                if (message[0] != '\0') {
                        stream_send_at(s, text, len, command->log, message, is_last);
                } else if (!command->fails) {
                        stream_send_at(s, text, len, NULL, "", is_last);
                } else {
                        stream_send(s, text, len);
                }
                message = text + len + 1;
        }
}

static void go_on(struct stream *s)
{
        if (!submit_command(s->command)) {
                stream_command_drop(s->command);
                s->command = NULL;
                end_queue_full(s);
        }
}

void stream_command_go_on(struct stream *s)
{
        if (s->command_waits && !s->closing) {
                s->command_waits = false;
                go_on(s);
        }
}

static void finish_command(struct stream *s, struct stream_command *command)
{
        s->command = NULL;
        stream_command_drop(command);
        if (s->closing) {
                return;
        }
        if (s->is_sse) {
                stream_command_next(s);
        } else {
                http_upgraded_resume(s->u);
        }
}

/* A subscription of a stream that has ended is dropped with it. */
static void give_up(struct stream_command *command)
{
        struct stream_hub *hub = command->stream->hub;

        if (command->sub != NULL) {
                pthread_mutex_lock(&hub->lock);
                stream_hub_unregister(hub, command->sub);
                pthread_mutex_unlock(&hub->lock);
        }
        stream_command_drop(command);
}

void stream_command_done(struct http_task *task)
{
        struct stream_command *command =
            (struct stream_command *)(void *)((char *)task - offsetof(struct stream_command, task));
        struct stream *s = command->stream;

        if (s->u == NULL || s->closing) {
                s->command = NULL;
                give_up(command);
                return;
        }
        apply_identity(s, command);
        if (s->closing) {
                s->command = NULL;
                give_up(command);
                return;
        }
        apply_sub(s, command);
        bool wrote = command->out.len > 0;

        send_all(s, command);
        buf_free(&command->out);
        if (command->fails) {
                stream_end(s, WEBSOCKET_INTERNAL_ERROR, "a channel failed; reconnect and resume", NULL);
        }
        if (!command->again) {
                finish_command(s, command);
        } else if (wrote) {
                s->command_waits = true;
        } else {
                go_on(s);
        }
}
