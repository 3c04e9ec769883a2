/* Rate limits: how many requests of a class one member, or one address without a member, may make, over REST and gRPC
 * together. Counted in this process's memory, in bounded space and without allocating; a process that stands beside
 * others counts for itself.
 *
 * The algorithm is GCRA: a client that was quiet may make a whole minute's requests at once, and gets them back one by
 * one, evenly over a minute. Nothing resets at once, so nobody waits for the full minute to strike; in the first minute
 * after a pause at most twice the limit comes through, later no more than the limit.
 *
 * The header fields are those of draft-ietf-httpapi-ratelimit-headers-10:
 *   RateLimit-Policy: "read";q=1200;w=60      q requests in w seconds
 *   RateLimit: "read";r=1199;t=1              r are left; in t seconds there is one more
 * and Retry-After (RFC 9110, 10.2.3) with a refusal. */
#ifndef RPC_RATE_LIMIT_H
#define RPC_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/call.h"
#include "base/contract.h"
#include "base/settings.h"

struct rate_limiter;

/* Beside the classes of the contract one of our own: requests whose credentials were refused. */
enum { RATE_FAILURES = RPC_RATE_COUNT, RATE_CLASSES };

struct rate_limits {
        uint32_t per_minute[RATE_CLASSES]; /* 0: no limit */
        size_t max_clients;                /* that are remembered; 16 bytes each. 0: 65,536 */
};

struct rate_verdict {
        bool allowed;
        uint32_t limit; /* in a minute; 0: this class has none, and no headers are sent */
        uint32_t remaining;
        uint32_t reset_s;   /* until there is one more; the value of Retry-After when refused (then at least 1) */
        const char *name;   /* "read", as in both header fields */
        const char *policy; /* the whole value of RateLimit-Policy; valid as long as the limiter */
};

#define RATE_LIMIT_VALUE_SIZE 48

/* NULL when memory is out. */
struct rate_limiter *rate_limiter_new(const struct rate_limits *limits);
void rate_limiter_free(struct rate_limiter *l); /* takes NULL */

/* Takes one request of who: a member's id, or an address. An IPv6 address stands for its /64 (what one customer gets),
 * an IPv4-mapped one for the IPv4 address. True when it is allowed; a refused one costs nothing. l NULL allows
 * everything: limits are off. Thread-safe. When more clients are active than fit, the one that is nearest to its full
 * quota is forgotten. */
bool rate_limit_take(struct rate_limiter *l, unsigned class, const char *who, struct rate_verdict *verdict);
/* The same verdict without taking one: whether the next one would be allowed. */
bool rate_limit_ask(struct rate_limiter *l, unsigned class, const char *who, struct rate_verdict *verdict);

/* Writes the value of the RateLimit field. Gives out. */
char *rate_limit_value(const struct rate_verdict *verdict, char out[RATE_LIMIT_VALUE_SIZE]);

/* The process's own limiter, which both transports share. Made at start, before any request, after the settings; none
 * when those switch limits off, or before. rpc_close frees it. SN_UNAVAILABLE when memory is out. */
SN_CHECKED sn_status rpc_limit_rates(const struct settings *settings);
void rpc_limit_rates_end(void);
/* Takes one request of c->method from whoever is asking from outside: the member, or the address for log-ins and for
 * who is no member. Our own services are not counted: whom they ask for was counted where the request came in.
 * SN_RESOURCE_EXHAUSTED, with the seconds to wait. */
SN_CHECKED sn_status rpc_take_rate(struct rpc_call *c, struct rate_verdict *verdict);

/* Refused credentials cost an address, or a token. rpc_check_failures, before any are looked at:
 * SN_RESOURCE_EXHAUSTED (too_many_failures), with the seconds to wait, once the failures are spent. */
bool rpc_failures_spent(const struct rpc_call *c, const char *who);
SN_CHECKED sn_status rpc_check_failures(struct rpc_call *c, const char *who);
void rpc_count_failure(const struct rpc_call *c, const char *who);

#endif
