/* When, and from where, sessions were used last. Each process notes it of the requests that come to it from outside: in
 * memory, in bounded space, and every few seconds in Redis, a session once however often it was used. There the list of
 * sessions finds it. Nothing depends on it: user_service's database is told at each refresh, so what Redis has lost, or
 * cannot be asked, is known from there, as of TOKEN_LIFE_S ago at most. */
#ifndef RPC_SESSION_USES_H
#define RPC_SESSION_USES_H

#include <stddef.h>
#include <stdint.h>
#include "base/call.h"

struct redis;

#define SESSION_USES_WRITE_MS 5000

/* That the call's session is used now, by its client. Cheap; without a session nothing. When too many are used at once
 * some are passed over until their next request. */
void session_uses_note(const struct rpc_call *c);
/* What Redis has of a session that has ended goes with the next write. */
void session_uses_end(const char *session);
/* Writes to Redis what was noted since. SN_UNAVAILABLE when it is unreachable: the next write has it all. */
SN_CHECKED sn_status session_uses_write(struct rpc_call *c, struct redis *redis);

struct session_use {
        int64_t at_ms; /* not in the future; 0: not known */
        const char *address, *user_agent;
};
/* What Redis knows of sessions, in their order: in the call's arena. Without Redis of none of them. */
struct session_use *session_uses_read(struct rpc_call *c, struct redis *redis, char *const *sessions, size_t n);

#endif
