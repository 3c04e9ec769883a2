/* The limiter's table: sets of eight entries, chosen by a keyed hash of the client, so that nobody can target
 * another client's set. An entry is the time at which the client has its full quota again (GCRA's theoretical
 * arrival time); one in the past carries no information. */
#include "rpc/rate_limit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"

enum {
        WAYS = 8,
        LOCKS = 64,
        DEFAULT_CLIENTS = 65536,
        WINDOW_S = 60,
};

#define NS_PER_S 1000000000LL

struct entry {
        uint64_t client;
        int64_t full_at_ns;
};

struct set {
        struct entry ways[WAYS];
};

struct class
{
        uint32_t limit;
        int64_t interval_ns; /* the cost of one request */
        char policy[RATE_LIMIT_VALUE_SIZE];
};

struct rate_limiter {
        struct class classes[RATE_CLASSES];
        uint8_t key[crypto_shorthash_KEYBYTES];
        struct set *sets;
        size_t n_sets; /* a power of two */
        struct {
                _Alignas(64) pthread_mutex_t mutex;
        } locks[LOCKS];
};

static const char *const names[RATE_CLASSES] = {
    [RPC_RATE_NONE] = "none", [RPC_RATE_READ] = "read",     [RPC_RATE_WRITE] = "write",
    [RPC_RATE_AUTH] = "auth", [RATE_FAILURES] = "failures",
};

static void setup_class(struct class *class, const char *name, uint32_t limit)
{
        class->limit = limit;
        class->interval_ns = limit > 0 ? WINDOW_S * NS_PER_S / limit : 0;
        snprintf(class->policy, sizeof(class->policy), "\"%s\";q=%u;w=%d", name, limit, WINDOW_S);
}

struct rate_limiter *rate_limiter_new(const struct rate_limits *limits)
{
        struct rate_limiter *l = aligned_alloc(_Alignof(struct rate_limiter), sizeof(struct rate_limiter));
        if (l == NULL) {
                return NULL;
        }
        memset(l, 0, sizeof(*l));
        size_t clients = limits->max_clients > 0 ? limits->max_clients : DEFAULT_CLIENTS;
        l->n_sets = 1;
        while (l->n_sets < clients / WAYS) {
                l->n_sets *= 2;
        }
        l->sets = calloc(l->n_sets, sizeof(*l->sets)); /* the system allocates pages as they are used */
        if (l->sets == NULL) {
                free(l);
                return NULL;
        }
        for (int i = 0; i < LOCKS; i++) {
                pthread_mutex_init(&l->locks[i].mutex, NULL);
        }
        for (int i = RPC_RATE_NONE + 1; i < RATE_CLASSES; i++) {
                setup_class(&l->classes[i], names[i], limits->per_minute[i]);
        }
        random_bytes(l->key, sizeof(l->key));
        return l;
}

void rate_limiter_free(struct rate_limiter *l)
{
        if (l == NULL) {
                return;
        }
        for (int i = 0; i < LOCKS; i++) {
                pthread_mutex_destroy(&l->locks[i].mutex);
        }
        free(l->sets);
        free(l);
}

static uint64_t hash_bytes(const struct rate_limiter *l, const void *bytes, size_t len)
{
        uint8_t out[crypto_shorthash_BYTES];
        uint64_t hash;
        crypto_shorthash(out, bytes, len, l->key);
        memcpy(&hash, out, sizeof(hash));
        return hash;
}

static uint64_t hash_client(const struct rate_limiter *l, const char *who)
{
        uint8_t address[ADDRESS_BYTES];
        if (!address_parse(str_of(who), address)) {
                return hash_bytes(l, who, strlen(who));
        }
        address_to_network(address);
        return hash_bytes(l, address, sizeof(address));
}

static struct entry *find_entry(struct set *set, uint64_t client)
{
        for (int i = 0; i < WAYS; i++) {
                if (set->ways[i].client == client) {
                        return &set->ways[i];
                }
        }
        return NULL;
}

/* An entry for the client, taken from a client that no longer needs one, or needs it least. */
static struct entry *make_room(struct set *set, uint64_t client)
{
        struct entry *least = &set->ways[0];
        for (int i = 1; i < WAYS; i++) {
                if (set->ways[i].full_at_ns < least->full_at_ns) {
                        least = &set->ways[i];
                }
        }
        *least = (struct entry){.client = client};
        return least;
}

static uint32_t seconds_up(int64_t ns)
{
        return (uint32_t)((ns + NS_PER_S - 1) / NS_PER_S);
}

/* GCRA: computes the verdict on one more request, and the time of the full quota after it. */
static int64_t judge_request(const struct class *class, int64_t full_at_ns, int64_t now_ns,
                             struct rate_verdict *verdict)
{
        int64_t quota_ns = class->interval_ns * class->limit;
        full_at_ns = full_at_ns > now_ns ? full_at_ns : now_ns;
        int64_t spent_ns = full_at_ns + class->interval_ns - now_ns;
        verdict->limit = class->limit;
        verdict->policy = class->policy;
        verdict->allowed = spent_ns <= quota_ns;
        if (!verdict->allowed) {
                verdict->remaining = 0;
                verdict->reset_s = seconds_up(spent_ns - quota_ns);
                return full_at_ns;
        }
        int64_t spent = (spent_ns + class->interval_ns - 1) / class->interval_ns;
        verdict->remaining = class->limit - (uint32_t)spent;
        verdict->reset_s = seconds_up(spent_ns - (spent - 1) * class->interval_ns);
        return now_ns + spent_ns;
}

static bool decide(struct rate_limiter *l, unsigned class, const char *who, bool take, struct rate_verdict *verdict)
{
        *verdict = (struct rate_verdict){.allowed = true, .name = names[class]};
        if (l == NULL || l->classes[class].limit == 0) {
                return true;
        }
        uint64_t client =
            hash_client(l, who) + (uint64_t) class * 0x9E3779B97F4A7C15u; /* each class has its own quota */
        size_t index = (size_t)client & (l->n_sets - 1);
        int64_t now_ns = clock_monotonic_us() * 1000;
        pthread_mutex_lock(&l->locks[index % LOCKS].mutex);
        struct entry *e = find_entry(&l->sets[index], client);
        int64_t full_at_ns = judge_request(&l->classes[class], e != NULL ? e->full_at_ns : 0, now_ns, verdict);
        if (take) {
                e = e != NULL ? e : make_room(&l->sets[index], client);
                e->full_at_ns = full_at_ns;
        }
        pthread_mutex_unlock(&l->locks[index % LOCKS].mutex);
        return verdict->allowed;
}

bool rate_limit_take(struct rate_limiter *l, unsigned class, const char *who, struct rate_verdict *verdict)
{
        return decide(l, class, who, true, verdict);
}

bool rate_limit_ask(struct rate_limiter *l, unsigned class, const char *who, struct rate_verdict *verdict)
{
        return decide(l, class, who, false, verdict);
}

char *rate_limit_value(const struct rate_verdict *verdict, char out[RATE_LIMIT_VALUE_SIZE])
{
        snprintf(out, RATE_LIMIT_VALUE_SIZE, "\"%s\";r=%u;t=%u", verdict->name, verdict->remaining, verdict->reset_s);
        return out;
}

/* ---- The process's limiter ---- */

static struct rate_limiter *own;

sn_status rpc_limit_rates(const struct settings *settings)
{
        const struct rate_limits limits = {.per_minute = {[RPC_RATE_READ] = (uint32_t)settings->rate_read,
                                                          [RPC_RATE_WRITE] = (uint32_t)settings->rate_write,
                                                          [RPC_RATE_AUTH] = (uint32_t)settings->rate_auth,
                                                          [RATE_FAILURES] = (uint32_t)settings->rate_failures}};
        rpc_limit_rates_end();
        own = settings->rate_limits ? rate_limiter_new(&limits) : NULL;
        return own != NULL || !settings->rate_limits ? SN_OK : SN_UNAVAILABLE;
}

void rpc_limit_rates_end(void)
{
        rate_limiter_free(own);
        own = NULL;
}

static sn_status fail_limited(struct rpc_call *c, const char *code, const char *what,
                              const struct rate_verdict *verdict)
{
        (void)rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, code, NULL, "%s; wait %u seconds", what, verdict->reset_s);
        c->problem.retry_after_s = (int)verdict->reset_s;
        return SN_RESOURCE_EXHAUSTED;
}

/* Our own services are not counted. */
static struct rate_limiter *limiter_of(const struct rpc_call *c)
{
        return c->caller[0] == '\0' ? own : NULL;
}

sn_status rpc_take_rate(struct rpc_call *c, struct rate_verdict *verdict)
{
        const enum rpc_rate class = c->method->rate;
        const char *who = c->actor[0] != '\0' && class != RPC_RATE_AUTH ? c->actor : c->client_address;
        return rate_limit_take(limiter_of(c), class, who, verdict)
                   ? SN_OK
                   : fail_limited(c, NULL, "too many requests", verdict);
}

bool rpc_failures_spent(const struct rpc_call *c, const char *who)
{
        struct rate_verdict verdict;
        return !rate_limit_ask(limiter_of(c), RATE_FAILURES, who, &verdict);
}

sn_status rpc_check_failures(struct rpc_call *c, const char *who)
{
        struct rate_verdict verdict;
        return rate_limit_ask(limiter_of(c), RATE_FAILURES, who, &verdict)
                   ? SN_OK
                   : fail_limited(c, "too_many_failures", "too many bad access tokens", &verdict);
}

void rpc_count_failure(const struct rpc_call *c, const char *who)
{
        struct rate_verdict verdict;
        (void)rate_limit_take(limiter_of(c), RATE_FAILURES, who, &verdict);
}
