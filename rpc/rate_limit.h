/* Rate limits: how many requests of a class a member, or an address without a member, may make, over REST and gRPC
 * together. Counted in this process's memory, in bounded space and without allocating; each process counts separately.
 *
 * The algorithm is GCRA: an idle client may make a whole minute's requests at once, and regains them one by one, evenly
 * over a minute. There is no window that resets, so clients do not retry in step; in the first minute after a pause up
 * to twice the limit gets through, later no more than the limit.
 *
 * The header fields are those of draft-ietf-httpapi-ratelimit-headers-10:
 *   RateLimit-Policy: "read";q=1200;w=60      q requests in w seconds
 *   RateLimit: "read";r=1199;t=1              r are left; one more in t seconds
 * and Retry-After (RFC 9110, 10.2.3) on rejection. */
#ifndef RPC_RATE_LIMIT_H
#define RPC_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/call.h"
#include "base/contract.h"
#include "base/settings.h"

struct rate_limiter;

/* In addition to the contract's classes: requests whose credentials were rejected. */
enum { RATE_FAILURES = RPC_RATE_COUNT, RATE_CLASSES };

struct rate_limits {
        uint32_t per_minute[RATE_CLASSES]; /* 0: no limit */
        size_t max_clients;                /* remembered; 16 bytes each. 0: 65,536 */
};

struct rate_verdict {
        bool allowed;
        uint32_t limit; /* per minute; 0: the class has no limit, and no headers are sent */
        uint32_t remaining;
        uint32_t reset_s;   /* until one more is allowed; Retry-After on rejection (then at least 1) */
        const char *name;   /* "read", as in both header fields */
        const char *policy; /* the whole RateLimit-Policy value; valid as long as the limiter */
};

#define RATE_LIMIT_VALUE_SIZE 48

/* NULL when out of memory. */
struct rate_limiter *rate_limiter_new(const struct rate_limits *limits);
void rate_limiter_free(struct rate_limiter *l); /* takes NULL */

/* Takes one request of a member's ID or an address. An IPv6 address counts as its /64 (what one customer gets), an
 * IPv4-mapped one as its IPv4 address. True if it is allowed; a rejected request costs nothing. l NULL allows
 * everything. Thread-safe. If more clients are active than fit, the one closest to its full quota is forgotten. */
bool rate_limit_take(struct rate_limiter *l, unsigned class, const char *who, struct rate_verdict *verdict);
/* The same verdict without taking a request. */
bool rate_limit_ask(struct rate_limiter *l, unsigned class, const char *who, struct rate_verdict *verdict);

/* Writes the value of the RateLimit field and returns out. */
char *rate_limit_value(const struct rate_verdict *verdict, char out[RATE_LIMIT_VALUE_SIZE]);

/* The process's limiter, shared by both transports. Created at start, before any request, after the settings; there
 * is none before that or if the settings disable limits. rpc_close frees it. SN_UNAVAILABLE when out of memory. */
SN_CHECKED sn_status rpc_limit_rates(const struct settings *settings);
void rpc_limit_rates_end(void);
/* Takes one request of c->method from an external caller: the member, or the address for log-ins and anonymous
 * callers. Our own services are not counted, as the request was counted where it came in. SN_RESOURCE_EXHAUSTED,
 * with the seconds to wait. */
SN_CHECKED sn_status rpc_take_rate(struct rpc_call *c, struct rate_verdict *verdict);

/* Rejected credentials are counted for an address, or a token. rpc_check_failures, to be called before any are
 * verified: SN_RESOURCE_EXHAUSTED (too_many_failures), with the seconds to wait, once too many have failed. */
bool rpc_failures_spent(const struct rpc_call *c, const char *who);
SN_CHECKED sn_status rpc_check_failures(struct rpc_call *c, const char *who);
void rpc_count_failure(const struct rpc_call *c, const char *who);

#endif
