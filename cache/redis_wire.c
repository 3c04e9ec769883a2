/* Encoding of commands, reading of replies. Knows connections, not the pool. */
#include "cache/redis_wire.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static size_t length_of(const char *const *argv, const size_t *lengths, int i)
{
        return lengths != NULL ? lengths[i] : strlen(argv[i]);
}

enum { ARGUMENT_OVERHEAD = 26 }; /* '$', at most 20 digits, two line ends, NUL of snprintf */

struct redis_wire_command *redis_wire_encode(struct arena *arena, int argc, const char *const *argv,
                                             const size_t *lengths)
{
        size_t room = 0;
        for (int i = 0; i < argc; i++) {
                room += length_of(argv, lengths, i) + ARGUMENT_OVERHEAD;
        }
        struct redis_wire_command *command = ARENA_NEW(arena, struct redis_wire_command);
        char *at = command->arguments = arena_alloc(arena, room);
        for (int i = 0; i < argc; i++) {
                size_t len = length_of(argv, lengths, i);
                at += snprintf(at, ARGUMENT_OVERHEAD, "$%zu\r\n", len);
                if (len > 0) {
                        memcpy(at, argv[i], len);
                }
                at += len;
                memcpy(at, "\r\n", 2);
                at += 2;
        }
        command->arguments_len = (size_t)(at - command->arguments);
        command->argc = argc;
        return command;
}

static bool append_bytes(redisContext *connection, const char *bytes, size_t len)
{
        return redisAppendFormattedCommand(connection, bytes, len) == REDIS_OK;
}

/* EVALSHA when this server has the text, EVAL otherwise. */
static bool send_script_head(redisContext *connection, const struct redis_wire_command *command, uint64_t generation)
{
        char head[128];
        bool known = command->script != NULL && command->script->loaded == generation;
        int argc = command->argc + 3;
        if (known) {
                int n = snprintf(head, sizeof(head), "*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%s", argc, command->script->sha);
                if (!append_bytes(connection, head, (size_t)n)) {
                        return false;
                }
        } else {
                size_t len = strlen(command->lua);
                int n = snprintf(head, sizeof(head), "*%d\r\n$4\r\nEVAL\r\n$%zu\r\n", argc, len);
                if (!append_bytes(connection, head, (size_t)n) || !append_bytes(connection, command->lua, len)) {
                        return false;
                }
        }
        char keys[12];
        int digits = snprintf(keys, sizeof(keys), "%d", command->n_keys);
        int n = snprintf(head, sizeof(head), "\r\n$%d\r\n%s\r\n", digits, keys);
        return append_bytes(connection, head, (size_t)n);
}

bool redis_wire_send(redisContext *connection, const struct redis_wire_command *command, uint64_t generation)
{
        if (command->lua != NULL) {
                if (!send_script_head(connection, command, generation)) {
                        return false;
                }
        } else {
                char head[32];
                int n = snprintf(head, sizeof(head), "*%d\r\n", command->argc);
                if (!append_bytes(connection, head, (size_t)n)) {
                        return false;
                }
        }
        return append_bytes(connection, command->arguments, command->arguments_len);
}

struct redisReply *redis_wire_receive(struct arena *arena, redisContext *connection)
{
        void *reply = NULL;
        if (redisGetReply(connection, &reply) != REDIS_OK || reply == NULL) {
                return NULL;
        }
        arena_defer(arena, freeReplyObject, reply);
        return reply;
}

bool redis_wire_is_error(const struct redisReply *reply, const char *kind)
{
        size_t len = strlen(kind);
        return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, kind, len) == 0 &&
               (reply->str[len] == ' ' || reply->str[len] == '\0');
}

sn_status redis_wire_away(struct rpc_call *c)
{
        return rpc_fail(c, SN_UNAVAILABLE, NULL, "the service is temporarily unavailable; please try again");
}

sn_status redis_wire_status(struct rpc_call *c, const struct redisReply *reply)
{
        static const char *const passing[] = {"LOADING", "BUSY",    "MASTERDOWN", "READONLY",
                                              "OOM",     "MISCONF", "NOREPLICAS"};
        if (reply->type != REDIS_REPLY_ERROR) {
                return SN_OK;
        }
        log_event(LOG_LEVEL_ERROR, "Redis rejected a command", LOG_STR("error.message", reply->str),
                  LOG_STR("trace.id", c->trace_id));
        for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
                if (redis_wire_is_error(reply, passing[i])) {
                        return redis_wire_away(c);
                }
        }
        return rpc_fail(c, SN_INTERNAL, NULL, "something went wrong on our side");
}
