/* What the server itself rejects, with the owner's problem documents if it has any. */
#include "http/internal.h"

static void count_refusal(const struct http_server *server, int status)
{
        metric_add(metric_counter(metrics_intern("sonet_%s_refused_total", server->options.name),
                                  "Requests rejected by the HTTP server itself.",
                                  metrics_intern("status=\"%d\"", status)),
                   1);
}

void http_refusal(struct http_server *server, struct http_request *r, int status, const char *detail,
                  struct http_response *response)
{
        *response = (struct http_response){.status = status, .close = true};
        buf_init(&response->body, HTTP_REFUSAL_BYTES);
        count_refusal(server, status);
        if (server->handlers.on_refusal != NULL) {
                server->handlers.on_refusal(server->handlers.context, r, status, detail, response);
                response->close = true;
        }
}
