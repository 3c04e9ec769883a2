/* What a client address uses of the process: connections on all its ports, and request bodies in memory and in the
 * spool. One table for all servers, since an exchange may outlive its server. */
#include "http/internal.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

enum { SHARE = 4 }; /* an address may use 1/SHARE of the total */

/* An address that uses something: in the tree; all but the bytes are guarded by the lock. */
struct http_share_of_address {
        uint8_t network[ADDRESS_BYTES]; /* an IPv4 address, or 64 bits of an IPv6 one */
        int connections;
        int references; /* connections, and exchanges that hold bytes */
        bool exempt;
        atomic_int_least64_t body_bytes, spool_bytes, spool_files, files;
};

static struct http_shares limits;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *shares;
static atomic_int_least64_t body_bytes, files;

static int64_t read_body_bytes(void *context)
{
        (void)context;
        return atomic_load(&body_bytes);
}

void http_limit_shares(const struct http_shares *wanted)
{
        limits = *wanted;
        metric_gauge_fn("sonet_request_body_bytes", "Memory used by request bodies, on all ports.", NULL,
                        read_body_bytes, NULL);
}

static int compare_addresses(const void *a, const void *b)
{
        return memcmp(a, b, ADDRESS_BYTES); /* the network is the first member */
}

/* Under the lock; NULL: out of memory. */
static struct http_share_of_address *find_or_add(const uint8_t network[ADDRESS_BYTES], const char *peer)
{
        struct http_share_of_address **found = tfind(network, &shares, compare_addresses);
        if (found != NULL) {
                return *found;
        }
        struct http_share_of_address *s = calloc(1, sizeof(*s));
        if (s == NULL) {
                return NULL;
        }
        memcpy(s->network, network, ADDRESS_BYTES);
        s->exempt = limits.is_exempt != NULL && limits.is_exempt(peer);
        if (tsearch(s, &shares, compare_addresses) == NULL) {
                free(s);
                return NULL;
        }
        return s;
}

static void unreference(struct http_share_of_address *s)
{
        if (--s->references == 0) {
                tdelete(s, &shares, compare_addresses);
                free(s);
        }
}

enum http_share_is http_share_join(struct http_connection *c)
{
        uint8_t network[ADDRESS_BYTES] = {0};
        if (address_parse(str_of(c->peer), network)) {
                address_to_network(network);
        }
        pthread_mutex_lock(&lock);
        c->share = find_or_add(network, c->peer);
        int connections = 0;
        bool exempt = true;
        if (c->share != NULL) {
                c->share->references++;
                connections = ++c->share->connections;
                exempt = c->share->exempt || limits.connections == 0;
        }
        pthread_mutex_unlock(&lock);
        return exempt || connections <= limits.connections                        ? HTTP_SHARE_FREE
               : connections <= limits.connections + HTTP_REFUSED_CONNECTIONS_MAX ? HTTP_SHARE_USED
                                                                                  : HTTP_SHARE_EXCEEDED;
}

void http_share_leave(struct http_connection *c)
{
        if (c->share == NULL) {
                return;
        }
        pthread_mutex_lock(&lock);
        c->share->connections--;
        unreference(c->share);
        pthread_mutex_unlock(&lock);
        c->share = NULL;
}

/* --- bodies --- */

static int64_t share_of(int64_t all)
{
        return all < SHARE ? 1 : all / SHARE;
}

/* Keeps the count after the connection has ended. */
static void reference(struct http_exchange *x)
{
        if (x->share == NULL && x->connection->share != NULL) {
                x->share = x->connection->share;
                pthread_mutex_lock(&lock);
                x->share->references++;
                pthread_mutex_unlock(&lock);
        }
}

bool http_share_hold_body(struct http_exchange *x)
{
        int64_t more = (int64_t)x->body.capacity - x->held_bytes;
        if (more <= 0) {
                return true;
        }
        reference(x);
        x->held_bytes += more;
        int64_t all = atomic_fetch_add(&body_bytes, more) + more, own = 0;
        if (x->share != NULL) {
                own = atomic_fetch_add(&x->share->body_bytes, more) + more;
                own = x->share->exempt ? 0 : own;
        }
        if (limits.body_bytes == 0 || (all <= limits.body_bytes && own <= share_of(limits.body_bytes))) {
                return true;
        }
        http_share_release(x);
        buf_free(&x->body);
        return false;
}

/* The most that one address may use of the spool. */
static int64_t most_of(const struct http_share_of_address *s, int64_t all)
{
        return s->exempt || all == 0 ? INT64_MAX : share_of(all);
}

static bool take_share(atomic_int_least64_t *count, int64_t n, int64_t most)
{
        if (atomic_fetch_add(count, n) + n <= most) {
                return true;
        }
        atomic_fetch_sub(count, n);
        return false;
}

bool http_spool_begin(struct http_request *r, int64_t announced)
{
        struct http_exchange *x = (struct http_exchange *)(void *)r;
        reference(x);
        if (x->share == NULL) {
                return true;
        }
        int64_t most = most_of(x->share, limits.spool_bytes);
        x->spooled = announced <= most - atomic_load(&x->share->spool_bytes) &&
                     take_share(&x->share->spool_files, 1, most_of(x->share, limits.spool_files));
        return x->spooled;
}

bool http_spool_add(struct http_request *r, size_t bytes)
{
        struct http_exchange *x = (struct http_exchange *)(void *)r;
        if (x->share == NULL) {
                return true;
        }
        if (!take_share(&x->share->spool_bytes, (int64_t)bytes, most_of(x->share, limits.spool_bytes))) {
                return false;
        }
        x->spooled_bytes += (int64_t)bytes;
        return true;
}

void http_file_expect(struct http_request *r)
{
        reference((struct http_exchange *)(void *)r);
}

bool http_file_admit(struct http_request *r, bool of_client)
{
        struct http_exchange *x = (struct http_exchange *)(void *)r;
        if (!x->sends_file && !take_share(&files, 1, limits.files == 0 ? INT64_MAX : limits.files)) {
                return false;
        }
        x->sends_file = true; /* released with the request */
        if (!of_client || x->share == NULL || x->sends_file_of_share) {
                return true;
        }
        x->sends_file_of_share = take_share(&x->share->files, 1, most_of(x->share, limits.files));
        return x->sends_file_of_share;
}

void http_share_release(struct http_exchange *x)
{
        atomic_fetch_sub(&body_bytes, x->held_bytes);
        atomic_fetch_sub(&files, x->sends_file);
        if (x->share != NULL) {
                atomic_fetch_sub(&x->share->body_bytes, x->held_bytes);
                atomic_fetch_sub(&x->share->spool_bytes, x->spooled_bytes);
                atomic_fetch_sub(&x->share->spool_files, x->spooled);
                atomic_fetch_sub(&x->share->files, x->sends_file_of_share);
                pthread_mutex_lock(&lock);
                unreference(x->share);
                pthread_mutex_unlock(&lock);
        }
        x->held_bytes = x->spooled_bytes = 0;
        x->spooled = x->sends_file = x->sends_file_of_share = false;
        x->share = NULL;
}
