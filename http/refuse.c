/* What the server refuses itself, in the owner's words where it has some. */
#include "http/internal.h"

#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

static void count_refusal(int status)
{
        metric_add(metric_counter("sonet_http_refused_total", "Requests that the HTTP server refused itself.",
                                  metrics_intern("status=\"%d\"", status)),
                   1);
}

void http_refusal(struct http_server *server, struct http_request *r, int status, const char *detail,
                  struct http_response *response)
{
        *response = (struct http_response){.status = status, .close = true};
        buf_init(&response->body, HTTP_REFUSAL_BYTES);
        count_refusal(status);
        if (server->handlers.on_refusal != NULL) {
                server->handlers.on_refusal(server->handlers.context, r, status, detail, response);
        }
}

static bool is_one_line(const char *text)
{
        return strpbrk(text, "\r\n") == NULL;
}

static void append_response(struct buf *out, const struct http_response *response)
{
        buf_printf(out, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %zu\r\n", response->status,
                   MHD_get_reason_phrase_for((unsigned)response->status), response->body.len);
        for (size_t i = 0; i < response->n_headers; i++) {
                const struct http_header *h = &response->headers[i];
                if (is_one_line(h->name) && is_one_line(h->value)) {
                        buf_printf(out, "%s: %s\r\n", h->name, h->value);
                }
        }
        buf_append_c(out, "\r\n");
        buf_append(out, response->body.data, response->body.len);
}

void http_refuse_raw(struct http_server *server, int fd, int status, const char *detail)
{
        struct arena *arena = arena_new(server->options.arena_bytes);
        if (arena == NULL) {
                return;
        }
        struct http_request r = {
            .arena = arena, .method = "", .path = "", .peer = "", .started_us = clock_monotonic_us()};
        struct http_response response;
        struct buf text;
        buf_init(&text, HTTP_REFUSAL_BYTES * 2);
        http_refusal(server, &r, status, detail, &response);
        append_response(&text, &response);
        if (!text.overflow) {
                /* A socket that cannot take this little belongs to a client that does not read. */
                ssize_t sent = send(fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
                (void)sent;
        }
        buf_free(&text);
        buf_free(&response.body);
        arena_free(arena);
}
