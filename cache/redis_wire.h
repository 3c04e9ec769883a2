/* Commands as Redis reads them (RESP 2), and the pipeline that holds them: private to cache/. */
#ifndef CACHE_REDIS_WIRE_H
#define CACHE_REDIS_WIRE_H

#include "base/call.h"
#include "cache/redis.h"
#include "cache/redis_pool.h"

struct redis_wire_command {
        struct redis_wire_command *next;
        char *arguments; /* each as $length, bytes */
        size_t arguments_len;
        int argc;
        const char *lua;                   /* of a script: the head is written when the connection is known */
        struct redis_script_entry *script; /* NULL: the table is full, the text goes along each time */
        int n_keys;
};

struct redis_pipeline {
        struct rpc_call *c;
        struct redis *r;
        struct redis_wire_command *first, **end;
        size_t n;
};

struct redis_link {
        struct redis *r;
        redisContext *connection;
        int timeout_ms;
        bool broken;
};

/* Encodes the arguments into the arena. lengths may be NULL for texts. */
struct redis_wire_command *redis_wire_encode(struct arena *arena, int argc, const char *const *argv,
                                             const size_t *lengths);
bool redis_wire_send(redisContext *connection, const struct redis_wire_command *command, uint64_t generation);
/* The next reply, in the arena's care; NULL when the connection failed. */
struct redisReply *redis_wire_receive(struct arena *arena, redisContext *connection);
bool redis_wire_is_error(const struct redisReply *reply, const char *kind); /* "NOSCRIPT" */
/* The status of a reply: an error reply is logged and becomes SN_INTERNAL, or SN_UNAVAILABLE when Redis cannot at the
 * moment. */
SN_CHECKED sn_status redis_wire_status(struct rpc_call *c, const struct redisReply *reply);
sn_status redis_wire_away(struct rpc_call *c);

/* The script's row in the table of r; NULL when that is full. */
struct redis_script_entry *redis_script_entry_of(struct redis *r, const char *lua);

#endif
