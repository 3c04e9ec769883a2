/* Owns pub/sub: channels are of all databases of a Redis, so that their names begin with the one of the URL. */
#include <poll.h>
#include <string.h>

#include "cache/redis_wire.h"

static const char *name_of(struct rpc_call *c, const struct redis *r, const char *channel)
{
        return arena_printf(c->arena, "%d:%s", r->address.database, channel);
}

sn_status redis_publish(struct rpc_call *c, struct redis *r, const char *channel, const void *bytes, size_t len)
{
        const char *argv[] = {"PUBLISH", name_of(c, r, channel), bytes};
        struct redisReply *reply;
        return redis_command(c, r, 3, argv, (const size_t[]){7, strlen(argv[1]), len}, &reply);
}

sn_status redis_link_subscribe(struct rpc_call *c, struct redis_link *link, const char *const *channels, size_t n,
                               int timeout_ms)
{
        const char **argv = ARENA_ARRAY(c->arena, const char *, n + 1);
        struct redisReply *first; /* of a reply for each channel: the others are read as messages that are none */
        argv[0] = "SUBSCRIBE";
        for (size_t i = 0; i < n; i++) {
                argv[i + 1] = name_of(c, link->r, channels[i]);
        }
        return redis_link_command(c, link, (int)n + 1, argv, NULL, timeout_ms, &first);
}

int redis_link_descriptor(const struct redis_link *link)
{
        return link->connection->fd;
}

static bool has_come(const struct redis_link *link)
{
        struct pollfd ready = {.fd = link->connection->fd, .events = POLLIN};
        return poll(&ready, 1, 0) == 1;
}

static bool is_message(const struct redisReply *reply)
{
        return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
               reply->element[0]->type == REDIS_REPLY_STRING && strcmp(reply->element[0]->str, "message") == 0 &&
               reply->element[2]->type == REDIS_REPLY_STRING;
}

/* *reply NULL: none is whole. */
static bool read_reply(struct rpc_call *c, struct redis_link *link, struct redisReply **reply)
{
        void *read = NULL;
        bool ok = redisGetReplyFromReader(link->connection, &read) == REDIS_OK;
        if (ok && read == NULL && has_come(link)) {
                ok = redisBufferRead(link->connection) == REDIS_OK &&
                     redisGetReplyFromReader(link->connection, &read) == REDIS_OK;
        }
        *reply = read;
        if (read != NULL) {
                arena_defer(c->arena, freeReplyObject, read);
        }
        return ok;
}

sn_status redis_link_next_message(struct rpc_call *c, struct redis_link *link, struct str *message)
{
        struct redisReply *reply;
        *message = (struct str){0};
        do {
                if (link->broken || !read_reply(c, link, &reply)) {
                        link->broken = true;
                        return redis_wire_away(c);
                }
                if (reply != NULL && is_message(reply)) {
                        *message = (struct str){reply->element[2]->str, reply->element[2]->len};
                        return SN_OK;
                }
        } while (reply != NULL);
        return SN_OK;
}
