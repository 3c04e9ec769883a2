/* Owns the JSON of messages to clients, and the external form of positions. */
#include <string.h>
#include "auth/cursor.h"
#include "base/clock.h"
#include "gateway/problem.h"
#include "gateway/stream.h"
#include "json/json.h"
#include "sonet/live.rpc.h"

/* ---- Positions ---- */

#define POSITION_FILTER "stream"

/* The cursor is not bound to a member or list: it is a position in a log, opaque to clients. It includes random
 * bytes, as equal positions would otherwise reveal that nothing happened in between, including hidden events. */
static struct rpc_call *nobodys(struct rpc_call *c)
{
        struct rpc_call *bare = ARENA_NEW(c->arena, struct rpc_call);

        *bare = (struct rpc_call){.arena = c->arena, CALL_OF_NOBODY};
        return bare;
}

char *stream_position(struct rpc_call *c, const char *log_id, int64_t position)
{
        struct cursor cursor = {.at = {.sort_key = position}};

        memcpy(cursor.at.id, log_id, UUID_SIZE);
        random_bytes(&cursor.began, sizeof(cursor.began));
        return cursor_encode(nobodys(c), POSITION_FILTER, &cursor);
}

static bool read_place(struct rpc_call *c, struct str text, struct stream_since *since)
{
        struct cursor cursor;

        if (text.len == 0 || since->n == STREAM_LOGS_MAX ||
            cursor_decode(nobodys(c), POSITION_FILTER, "since", str_dup(c->arena, text), &cursor) != SN_OK) {
                return false;
        }
        struct stream_log_position *from = &since->positions[since->n++];

        memcpy(from->log_id, cursor.at.id, UUID_SIZE);
        from->position = cursor.at.sort_key;
        return true;
}

sn_status stream_since_read(struct rpc_call *c, const char *field, const char *text, struct stream_since *since)
{
        struct str rest = str_of(text), one;

        *since = (struct stream_since){0};
        while (str_next(&rest, STREAM_POSITIONS_SEPARATOR[0], &one)) {
                if (!read_place(c, one, since)) {
                        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "cursor_invalid", field,
                                             "not a stream position; use one from a message, or leave it out");
                }
        }
        return SN_OK;
}

/* ---- Messages ---- */

static void write_text(struct buf *out, const char *text)
{
        json_write_string(out, text, strlen(text));
}

void stream_write_problem(struct buf *out, struct rpc_call *c, const struct rpc_problem *problem,
                          const char *request_id)
{
        struct http_response response = {0};

        buf_init(&response.body, STREAM_MESSAGE_BYTES);
        problem_write(problem, request_id, c->arena, &response);
        buf_append_c(out, "{\"type\":\"problem\",\"problem\":");
        buf_append(out, response.body.data, response.body.len);
        buf_append_char(out, '}');
        buf_free(&response.body);
}

void stream_write_authenticated(struct buf *out, const char *user_id, int64_t expires_s)
{
        Sonet__Live__Authenticated message = SONET__LIVE__AUTHENTICATED__INIT;
        Google__Protobuf__Timestamp expires = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

        expires.seconds = expires_s;
        message.type = "authenticated";
        message.user_id = (char *)user_id;
        message.expires_at = &expires;
        json_write_message(out, &live__authenticated__message, &message.base);
}

void stream_write_subscribed(struct buf *out, const char *channel, const char *position, bool resumed)
{
        Sonet__Live__Subscribed message = SONET__LIVE__SUBSCRIBED__INIT;

        message.type = "subscribed";
        message.channel = (char *)channel;
        message.position = (char *)position;
        message.resumed = resumed;
        json_write_message(out, &live__subscribed__message, &message.base);
}

void stream_write_event_rest(struct buf *out, const struct stream_shown *shown, const char *position)
{
        buf_append_c(out, ",\"event\":");
        write_text(out, shown->name);
        if (position[0] != '\0') {
                buf_append_c(out, ",\"position\":");
                write_text(out, position);
        }
        buf_append_c(out, ",\"data\":");
        json_write_message(out, shown->type, shown->data);
        buf_append_char(out, '}');
}
