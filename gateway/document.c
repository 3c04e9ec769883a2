/* Owns the rendered copies of the OpenAPI document. */
#include "gateway/document.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "gateway/compress.h"
#include "gateway/content.h"
#include "gateway/etag.h"
#include "gateway/openapi.h"
#include "rpc/client_address.h"

enum {
        MAX_BYTES = 4 << 20,
        /* The most addresses for which a copy is cached. Clients can name any address: the document is rendered anew
         * for all others. */
        COPIES_MAX = 4,
        TAG_ARENA_BYTES = 4096,
};

struct copy {
        char *url;
        struct buf bytes[CODINGS];
        struct arena *tags;
        struct content content;
};

struct document {
        const char *public_url; /* "": not set */
        struct buf text;
        size_t url_at; /* offset at which the address belongs */
        pthread_mutex_t lock;
        struct copy copies[COPIES_MAX];
        size_t n_copies;
};

struct document *document_new(const struct gateway_options *options, const struct gateway_page *pages)
{
        struct document *d = calloc(1, sizeof(*d));

        if (d == NULL) {
                return NULL;
        }
        d->public_url = options->settings->public_url;
        (void)pthread_mutex_init(&d->lock, NULL);
        buf_init(&d->text, MAX_BYTES);
        openapi_render(&d->text, options->contracts, options->n_contracts, pages, &d->url_at);
        if (d->text.overflow) {
                document_free(d);
                return NULL;
        }
        return d;
}

void document_free(struct document *d)
{
        if (d == NULL) {
                return;
        }
        for (size_t i = 0; i < d->n_copies; i++) {
                for (int c = 0; c < CODINGS; c++) {
                        buf_free(&d->copies[i].bytes[c]);
                }
                arena_free(d->copies[i].tags);
                free(d->copies[i].url);
        }
        buf_free(&d->text);
        (void)pthread_mutex_destroy(&d->lock);
        free(d);
}

/* The Host header was validated, and contains nothing that JSON would have to escape. */
static const char *address_of(const struct document *d, const struct http_request *r)
{
        const char *host = http_request_header(r, "Host"), *scheme = http_request_header(r, "X-Forwarded-Proto");
        bool https = scheme != NULL && strcmp(scheme, "https") == 0 && rpc_is_trusted_proxy(r->peer);

        if (d->public_url[0] != '\0') {
                return d->public_url;
        }
        return host == NULL || host[0] == '\0' ? "/"
                                               : arena_printf(r->arena, "%s://%s", https ? "https" : "http", host);
}

static void write_text(const struct document *d, const char *url, struct buf *out)
{
        buf_init(out, MAX_BYTES);
        buf_append(out, d->text.data, d->url_at);
        buf_append_c(out, url);
        buf_append(out, d->text.data + d->url_at, d->text.len - d->url_at);
}

static void fill_copy(const struct document *d, const char *url, struct copy *copy)
{
        struct buf *plain = &copy->bytes[CODING_IDENTITY];

        *copy = (struct copy){.url = strdup(url), .tags = arena_new(TAG_ARENA_BYTES)};
        if (copy->url == NULL || copy->tags == NULL) {
                abort();
        }
        write_text(d, url, plain);
        for (int c = 0; c < CODINGS; c++) {
                if (c != CODING_IDENTITY) {
                        compress_bytes((enum coding)c, COMPRESS_SMALL, (struct str){plain->data, plain->len},
                                       &copy->bytes[c]);
                }
                copy->content.bytes[c] = (struct str){copy->bytes[c].data, copy->bytes[c].len};
                copy->content.tags[c] = etag_of(copy->tags, plain, (enum coding)c);
        }
}

/* NULL: the cache is full of other addresses. */
static const struct content *copy_for(struct document *d, const char *url)
{
        struct copy *found = NULL;

        (void)pthread_mutex_lock(&d->lock);
        for (size_t i = 0; i < d->n_copies && found == NULL; i++) {
                found = strcmp(d->copies[i].url, url) == 0 ? &d->copies[i] : NULL;
        }
        if (found == NULL && d->n_copies < COPIES_MAX) {
                found = &d->copies[d->n_copies++];
                fill_copy(d, url, found);
        }
        (void)pthread_mutex_unlock(&d->lock);
        return found != NULL ? &found->content : NULL;
}

void document_render(struct document *d, const struct http_request *r, struct http_response *response)
{
        const char *url = address_of(d, r);
        const struct content *copy = copy_for(d, url);

        if (copy != NULL) {
                content_send(r, copy, response);
                return;
        }
        response->status = 200;
        buf_free(&response->body);
        write_text(d, url, &response->body);
        content_finish(r, response, (struct content_rules){.tagged = true});
}
