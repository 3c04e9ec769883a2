/* When and from where sessions were last used. Each process records it for the external requests that it gets: in
 * memory, in bounded space, and every few seconds in Redis, once per session however often it was used. The list of
 * sessions reads it from there. Nothing else depends on it: user_service's database is updated at each refresh, so
 * what Redis has lost or cannot tell is known from there, at most TOKEN_LIFE_S old. */
#ifndef RPC_SESSION_USES_H
#define RPC_SESSION_USES_H

#include <stddef.h>
#include <stdint.h>
#include "base/call.h"

struct redis;

#define SESSION_USES_WRITE_MS 5000

/* Records that the call's session is used now, by its client. Cheap; does nothing without a session. If too many
 * sessions are used at once, some are skipped until their next request. */
void session_uses_note(const struct rpc_call *c);
/* The next write deletes what Redis has about a session that has ended. */
void session_uses_end(const char *session);
/* Writes what was recorded to Redis. SN_UNAVAILABLE if it is unreachable: the next write includes it. */
SN_CHECKED sn_status session_uses_write(struct rpc_call *c, struct redis *redis);

struct session_use {
        int64_t at_ms; /* never in the future; 0: unknown */
        const char *address, *user_agent;
};
/* What Redis knows about the sessions, in the same order, in the call's arena. Without Redis: nothing about any. */
struct session_use *session_uses_read(struct rpc_call *c, struct redis *redis, char *const *sessions, size_t n);

#endif
