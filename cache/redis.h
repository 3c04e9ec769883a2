/* Redis: a pool, pipelines, and a circuit breaker that keeps calls from waiting for an unreachable Redis. Every use
 * must still work, more slowly, when a function here returns SN_UNAVAILABLE. */
#ifndef CACHE_REDIS_H
#define CACHE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/call.h"
#include "base/str.h"

struct redis;
struct redisReply;

/* url: redis://[[user]:password@]host[:port][/db] or unix:///path. Opens nothing yet. max_connections bounds the pool.
 * NULL for a URL that is neither. SIGPIPE is ignored from then on. */
struct redis *redis_new(const char *url, int max_connections);
void redis_free(struct redis *r);
/* Whether Redis responds; for /readyz. A successful command within the last second is sufficient; otherwise this
 * sends one (for at most a few tenths of a second), whose result counts for the breaker like any other. */
bool redis_up(struct redis *r);
/* Whether the server of the last connection has this run ID (INFO server); false if it reports none. */
bool redis_is_server(struct redis *r, const char *run_id, size_t len);
/* Bumped at the first connect, and when a connection meets another server process than before, whose memory may be
 * empty or old: who keeps state in Redis compares. */
uint64_t redis_generation(const struct redis *r);

/* One command: argv with lengths (binary safe). The arena frees the reply. An error reply is SN_INTERNAL, logged.
 * SN_UNAVAILABLE at once if the breaker is open. */
SN_CHECKED sn_status redis_command(struct rpc_call *c, struct redis *r, int argc, const char *const *argv,
                                   const size_t *lengths, struct redisReply **reply);
/* Pipeline: append any number, then run: one round trip. Replies in order, in the arena's care; an error reply of one
 * command does not fail the others. */
struct redis_pipeline;
struct redis_pipeline *redis_pipeline_new(struct rpc_call *c, struct redis *r);
void redis_pipeline_add(struct redis_pipeline *p, int argc, const char *const *argv, const size_t *lengths);
SN_CHECKED sn_status redis_pipeline_run(struct redis_pipeline *p, size_t *n, struct redisReply ***replies);
/* Runs it when no reply is needed; fails with the first error reply. */
SN_CHECKED sn_status redis_pipeline_finish(struct redis_pipeline *p);
/* A script by its text: EVALSHA, and EVAL when Redis does not know it. sha is computed once per text pointer. */
SN_CHECKED sn_status redis_script(struct rpc_call *c, struct redis *r, const char *lua, int n_keys, int argc,
                                  const char *const *argv, const size_t *lengths, struct redisReply **reply);
/* The same into a pipeline (EVAL with the text when not yet loaded by this process since the generation changed). */
void redis_pipeline_add_script(struct redis_pipeline *p, const char *lua, int n_keys, int argc, const char *const *argv,
                               const size_t *lengths);

/* A connection of one's own for blocking reads (XREAD BLOCK); SN_UNAVAILABLE when Redis is unreachable (not through the
 * breaker). */
struct redis_link;
SN_CHECKED sn_status redis_link_open(struct redis *r, int timeout_ms, struct redis_link **link);
SN_CHECKED sn_status redis_link_command(struct rpc_call *c, struct redis_link *link, int argc, const char *const *argv,
                                        const size_t *lengths, int timeout_ms, struct redisReply **reply);
/* Pub/sub: messages reach current subscribers only. A channel belongs to the URL's database, like keys. Redis closes
 * a link that leaves too much unread. */
SN_CHECKED sn_status redis_publish(struct rpc_call *c, struct redis *r, const char *channel, const void *bytes,
                                   size_t len);
/* The link is for messages from then on. */
SN_CHECKED sn_status redis_link_subscribe(struct rpc_call *c, struct redis_link *link, const char *const *channels,
                                          size_t n, int timeout_ms);
int redis_link_descriptor(const struct redis_link *link); /* for poll: something may have come */
/* The next message received, freed by the arena; does not block: message->ptr NULL if there is none. */
SN_CHECKED sn_status redis_link_next_message(struct rpc_call *c, struct redis_link *link, struct str *message);
/* From any thread, while it is not being closed: pending and later operations fail at once. */
void redis_link_shut_down(const struct redis_link *link);
void redis_link_close(struct redis_link *link); /* takes NULL */

#endif
