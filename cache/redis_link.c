/* Dedicated connections for blocking readers, outside the pool and the breaker: a reader retries by itself. */
#include <stdlib.h>
#include <sys/socket.h>

#include "cache/redis_wire.h"

sn_status redis_link_open(struct redis *r, int timeout_ms, struct redis_link **link)
{
        char reason[128];
        *link = NULL;
        redisContext *connection = redis_connect(r, timeout_ms, reason);
        if (connection == NULL) {
                return SN_UNAVAILABLE;
        }
        redisEnableKeepAlive(connection);
        connection->err = 0; /* a socket of the file system has no keep-alive: no failure */
        struct redis_link *l = calloc(1, sizeof(*l));
        if (l == NULL) {
                redisFree(connection);
                return SN_UNAVAILABLE;
        }
        *l = (struct redis_link){.r = r, .connection = connection, .timeout_ms = timeout_ms};
        *link = l;
        return SN_OK;
}

static bool set_timeout(struct redis_link *link, int timeout_ms)
{
        if (link->timeout_ms == timeout_ms) {
                return true;
        }
        link->timeout_ms = timeout_ms;
        struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
        return redisSetTimeout(link->connection, timeout) == REDIS_OK;
}

sn_status redis_link_command(struct rpc_call *c, struct redis_link *link, int argc, const char *const *argv,
                             const size_t *lengths, int timeout_ms, struct redisReply **reply)
{
        CALL_ASSERT_NO_TRANSACTION(c);
        *reply = NULL;
        struct redis_wire_command *command = redis_wire_encode(c->arena, argc, argv, lengths);
        struct redisReply *received = NULL;
        if (!link->broken && set_timeout(link, timeout_ms) && redis_wire_send(link->connection, command, 0)) {
                received = redis_wire_receive(c->arena, link->connection);
        }
        if (received == NULL) {
                link->broken = true; /* a late reply must not be taken for that of the next command */
                return redis_wire_away(c);
        }
        TRY(redis_wire_status(c, received));
        *reply = received;
        return SN_OK;
}

void redis_link_shut_down(const struct redis_link *link)
{
        (void)shutdown(link->connection->fd, SHUT_RDWR);
}

void redis_link_close(struct redis_link *link)
{
        if (link != NULL) {
                redisFree(link->connection);
                free(link);
        }
}
