/* Owns kept responses. They are found by member, address and accepted coding. */
#include "gateway/kept.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "base/clock.h"
#include "base/metrics.h"
#include "base/stamps.h"
#include "base/uuid.h"
#include "cache/table.h"
#include "gateway/coding.h"
#include "gateway/etag.h"
#include "rpc/dispatch.h"

/* In one piece of memory. */
struct kept {
        struct cache_object object;
        struct str address;
        struct str headers; /* "name\0value\0" for each that the method set */
        const char *etag;   /* in headers */
        struct str body;    /* encoded; NULL: only 304 was sent */
        const struct stamps *stamps;
};

/* Where a response belongs. The address contains everything, since the key is a hash. */
struct place {
        uint8_t key[16 + 8 + 8];
        struct str address;
};

static struct metric *repeated;

struct cache_table *kept_new(size_t max_bytes)
{
        repeated = metric_counter("sonet_kept_responses_total",
                                  "Responses that were sent again since nothing had changed.", NULL);
        return cache_table_new("kept_responses", max_bytes, false);
}

void kept_free(struct cache_table *kept)
{
        cache_table_free(kept);
}

static struct place place_of(const struct rpc_call *c, const struct exchange *x)
{
        const struct http_request *r = x->request;
        uint64_t coding = coding_choose(r, CODING_ANY);
        struct place place = {0};
        char *address = arena_printf(c->arena, "%s %s?%.*s", c->actor, r->path, (int)r->query.len,
                                     r->query.len > 0 ? r->query.ptr : "");

        place.address = str_of(address);
        (void)uuid_to_bytes(c->actor, place.key);
        uint64_t hash = XXH3_64bits(address, place.address.len);
        memcpy(place.key + 16, &hash, sizeof(hash));
        memcpy(place.key + 24, &coding, sizeof(coding));
        return place;
}

/* ---- Keeping ---- */

static size_t headers_bytes(const struct http_response *response, size_t first)
{
        size_t bytes = 0;

        for (size_t i = first; i < response->n_headers; i++) {
                bytes += strlen(response->headers[i].name) + strlen(response->headers[i].value) + 2;
        }
        return bytes;
}

static char *put(char *at, const void *bytes, size_t len)
{
        if (len > 0) {
                memcpy(at, bytes, len);
        }
        return at + len;
}

static char *put_headers(char *at, const struct http_response *response, size_t first, struct kept *kept)
{
        kept->headers.ptr = at;
        for (size_t i = first; i < response->n_headers; i++) {
                const struct http_header *h = &response->headers[i];

                at = put(at, h->name, strlen(h->name) + 1);
                kept->etag = strcmp(h->name, "ETag") == 0 ? at : kept->etag;
                at = put(at, h->value, strlen(h->value) + 1);
        }
        kept->headers.len = (size_t)(at - kept->headers.ptr);
        return at;
}

static void free_kept(struct cache_object *object)
{
        free(object);
}

/* first: of the headers that the method set. NULL without memory. */
static struct kept *copy_response(const struct place *place, const struct http_response *response, size_t first,
                                  const struct stamps *stamps)
{
        size_t stamps_len = stamps_bytes(stamps), body_len = response->status == 304 ? 0 : response->body.len;
        size_t bytes =
            sizeof(struct kept) + stamps_len + place->address.len + headers_bytes(response, first) + body_len;
        struct kept *kept = malloc(bytes);

        if (kept == NULL) {
                return NULL;
        }
        *kept = (struct kept){.object = {.references = 1, .bytes = bytes, .free = free_kept}};
        char *at = (char *)(kept + 1);

        kept->stamps = (const struct stamps *)(const void *)at;
        at = put(at, stamps, stamps_len);
        kept->address = (struct str){at, place->address.len};
        at = put(at, place->address.ptr, place->address.len);
        at = put_headers(at, response, first, kept);
        kept->body = (struct str){response->status == 304 ? NULL : at, body_len};
        (void)put(at, response->body.data, body_len);
        return kept;
}

static void keep(struct cache_table *table, const struct place *place, const struct http_response *response,
                 size_t first, const struct stamps *stamps)
{
        struct kept *kept = copy_response(place, response, first, stamps);

        if (kept != NULL) {
                cache_table_put(table, place->key, sizeof(place->key),
                                cache_table_token(table, place->key, sizeof(place->key)),
                                (union cache_value){.object = kept});
                cache_unref(kept);
        }
}

static sn_status make_and_keep(struct rpc_call *c, const struct exchange *x, kept_make *make, const struct place *place,
                               struct http_response *response)
{
        size_t first = response->n_headers;

        stamps_begin();
        sn_status status = make(c, x, response);
        const struct stamps *stamps = stamps_end();

        if (status == SN_OK && stamps != NULL && (response->status == 200 || response->status == 304)) {
                keep(x->gateway->kept, place, response, first, stamps);
        }
        return status;
}

/* ---- Sending it again ---- */

/* What was kept, if it still counts. */
static const struct kept *find(struct rpc_call *c, struct cache_table *table, const struct place *place)
{
        union cache_value value = {0};
        uint64_t token;

        if (!cache_table_get(table, place->key, sizeof(place->key), &value, &token)) {
                return NULL;
        }
        const struct kept *kept = value.object;

        arena_defer(c->arena, cache_unref, value.object);
        return str_equal(kept->address, place->address) && stamps_hold(kept->stamps, c->now_ms) ? kept : NULL;
}

/* Of a response with status 304 there may be no body. A request without a condition, or with another one, needs it. */
static bool is_enough(const struct kept *kept, const struct http_request *r)
{
        return kept->body.ptr != NULL || etag_is_known(r, kept->etag);
}

/* The body is borrowed: it exists as long as the call's memory. */
static void send_again(const struct exchange *x, const struct kept *kept, struct http_response *response)
{
        bool known = etag_is_known(x->request, kept->etag);
        const char *end = kept->headers.ptr + kept->headers.len;

        response->status = known ? 304 : 200;
        for (const char *name = kept->headers.ptr; name < end;) {
                const char *value = name + strlen(name) + 1;

                if (!known || strcmp(name, "Content-Encoding") != 0) {
                        http_response_header(response, name, value);
                }
                name = value + strlen(value) + 1;
        }
        if (!known) {
                buf_borrow(&response->body, kept->body.ptr, kept->body.len);
        }
}

/* The entity tag stands for the body. */
static bool is_same(const struct http_response *a, const struct http_response *b, size_t first)
{
        bool same = a->status == b->status && a->n_headers - first == b->n_headers;

        for (size_t i = 0; same && i < b->n_headers; i++) {
                same = strcmp(a->headers[first + i].name, b->headers[i].name) == 0 &&
                       strcmp(a->headers[first + i].value, b->headers[i].value) == 0;
        }
        return same;
}

#ifndef NDEBUG
enum { COMPARED_BYTES = 64 << 20 }; /* the kept body says nothing of what the response may take before it is encoded */

/* From memory: the first time may load something, after which there is no record. False: it cannot be compared. */
static bool make_anew(struct rpc_call *c, const struct exchange *x, kept_make *make, struct http_response *anew)
{
        bool whole = false;

        for (int i = 0; i < 2 && !whole; i++) {
                *anew = (struct http_response){.body = anew->body};
                buf_reset(&anew->body);
                stamps_begin();
                sn_status status = make(c, x, anew);
                whole = stamps_end() != NULL && status == SN_OK;
                c->problem = (struct rpc_problem){0};
        }
        return whole;
}
#endif

/* What is sent again is what would be made now, unless something changes just now. */
static void assert_kept_is_true(struct rpc_call *c, const struct exchange *x, kept_make *make, const struct kept *kept,
                                const struct http_response *response, size_t first)
{
#ifndef NDEBUG
        struct http_response anew = {0};

        buf_init(&anew.body, COMPARED_BYTES);
        bool compared = make_anew(c, x, make, &anew);

        assert(!compared || is_same(response, &anew, first) || !stamps_hold(kept->stamps, clock_wall_ms()));
        buf_free(&anew.body);
#else
        (void)c, (void)x, (void)make, (void)kept, (void)response, (void)first;
        (void)is_same;
#endif
}

sn_status kept_respond(struct rpc_call *c, const struct exchange *x, kept_make *make, struct http_response *response)
{
        int64_t started_us = clock_monotonic_us();

        if (!x->match.route->method->kept || strcmp(x->request->method, "GET") != 0) {
                return make(c, x, response);
        }
        struct place place = place_of(c, x);
        const struct kept *kept = find(c, x->gateway->kept, &place);
        size_t first = response->n_headers;

        if (kept == NULL || !is_enough(kept, x->request)) {
                return make_and_keep(c, x, make, &place, response);
        }
        send_again(x, kept, response);
        assert_kept_is_true(c, x, make, kept, response, first);
        rpc_dispatch_repeated(c, started_us);
        metric_add(repeated, 1);
        return SN_OK;
}
