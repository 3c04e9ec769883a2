/* Redis: a pool, pipelines, and a circuit breaker that keeps calls from waiting for a Redis that is
 * away. Every use must work, slower, when a call here answers SN_UNAVAILABLE. */
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
/* Whether Redis answers; for /readyz. A command that succeeded within the last second is enough; otherwise this asks
 * (for at most a few tenths of a second), and the breaker hears the outcome like any other. */
bool redis_up(struct redis *r);
/* Whether the server that was connected last is the one of this run id (INFO server); false when it tells none. */
bool redis_is_server(struct redis *r, const char *run_id, size_t len);
/* Bumped at the first connect, and when a connection meets another server process than before, whose memory may be
 * empty or old: who keeps state in Redis compares. */
uint64_t redis_generation(const struct redis *r);

/* One command: argv with lengths (binary safe). The reply lives in the arena's care. An error reply is SN_INTERNAL,
 * logged. SN_UNAVAILABLE at once when the breaker is open. */
SN_CHECKED sn_status redis_command(struct rpc_call *c, struct redis *r, int argc, const char *const *argv,
                                   const size_t *lengths, struct redisReply **reply);
/* Pipeline: append any number, then run: one round trip. Replies in order, in the arena's care; an error reply of one
 * command does not fail the others. */
struct redis_pipeline;
struct redis_pipeline *redis_pipeline_new(struct rpc_call *c, struct redis *r);
void redis_pipeline_add(struct redis_pipeline *p, int argc, const char *const *argv, const size_t *lengths);
SN_CHECKED sn_status redis_pipeline_run(struct redis_pipeline *p, size_t *n, struct redisReply ***replies);
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
/* Pub/sub: what is published reaches those who are subscribed at that moment. A channel is of the URL's database, as
 * keys are. Redis closes a link that leaves too much unread. */
SN_CHECKED sn_status redis_publish(struct rpc_call *c, struct redis *r, const char *channel, const void *bytes,
                                   size_t len);
/* The link is for messages from then on. */
SN_CHECKED sn_status redis_link_subscribe(struct rpc_call *c, struct redis_link *link, const char *const *channels,
                                          size_t n, int timeout_ms);
int redis_link_descriptor(const struct redis_link *link); /* for poll: something may have come */
/* The next message that came, in the arena's care; without waiting: message->ptr NULL when there is none. */
SN_CHECKED sn_status redis_link_next_message(struct rpc_call *c, struct redis_link *link, struct str *message);
/* From any thread, while nobody closes it: what waits on it fails at once, and so does all that comes after. */
void redis_link_shut_down(const struct redis_link *link);
void redis_link_close(struct redis_link *link); /* takes NULL */

#endif
