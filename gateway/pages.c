/* Owns the pages: OpenAPI, keys, health, readiness, metrics. */
#include "gateway/pages.h"

#include <string.h>
#include "base/metrics.h"
#include "gateway/content.h"
#include "gateway/document.h"
#include "gateway/exchange.h"
#include "gateway/stream.h"
#include "services/user/user.rpc.h"

#define PAGE_MAX_BYTES   (4 << 20)
#define JWKS_DEADLINE_MS 2000

static void text_response(struct http_response *response, int status, const char *text)
{
        response->status = status;
        buf_init(&response->body, PAGE_MAX_BYTES);
        buf_append_c(&response->body, text);
}

/* Only says that the process is running. */
static bool render_health(struct gateway *gateway, struct http_request *r, struct http_response *response)
{
        text_response(response, 200, "ok\n");
        return true;
}

static bool render_ready(struct gateway *gateway, struct http_request *r, struct http_response *response)
{
        text_response(response, 200, "");
        if (!gateway->options.ready(gateway->options.context, &response->body)) {
                response->status = 503;
                http_response_header(response, "Retry-After", "1");
        }
        return true;
}

static bool render_metrics(struct gateway *gateway, struct http_request *r, struct http_response *response)
{
        text_response(response, 200, "");
        metrics_render(&response->body);
        content_finish(r, response, (struct content_rules){0});
        return true;
}

static bool render_openapi(struct gateway *gateway, struct http_request *r, struct http_response *response)
{
        document_render(gateway->document, r, response);
        return true;
}

static bool render_jwks(struct gateway *gateway, struct http_request *r, struct http_response *response)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&gateway->service, JWKS_DEADLINE_MS);
        User__GetJwksRequest in = USER__GET_JWKS_REQUEST__INIT;
        User__Jwks out = USER__JWKS__INIT;

        if (!gateway_is_serving(gateway) || user_get_jwks(c, &in, &out) != SN_OK) {
                const struct exchange *x = r->user;
                exchange_refuse(
                    x,
                    &(struct rpc_problem){.status = SN_UNAVAILABLE,
                                          .detail = "the user service is not responding; try again in a second"},
                    response);
                return false;
        }
        text_response(response, 200, out.json);
        http_response_header(response, "Cache-Control", "public, max-age=300");
        content_finish(r, response, (struct content_rules){.tagged = true});
        return true;
}

#define N_GATEWAY_ONLY 3 /* the first ones */

/* Of server-sent events; docs/streaming.md describes the WebSocket protocol. */
#define STREAM_PARAMETERS                                                                                              \
        "[{\"name\":\"channels\",\"in\":\"query\",\"description\":\"Server-sent events: names of channels, apart by "  \
        "commas.\","                                                                                                   \
        "\"schema\":{\"type\":\"string\"}},"                                                                           \
        "{\"name\":\"Last-Event-ID\",\"in\":\"header\",\"description\":\"Server-sent events: what came after it "      \
        "comes "                                                                                                       \
        "first.\",\"schema\":{\"type\":\"string\"}}]"

static const struct gateway_page pages[] = {
    {.path = "/openapi.json",
     .content_type = "application/json",
     .render = render_openapi,
     .summary = "This document.",
     .tagged = true},
    {.path = "/.well-known/jwks.json",
     .content_type = "application/jwk-set+json",
     .render = render_jwks,
     .summary = "The public keys that access tokens are signed with (RFC 7517).",
     .tagged = true},
    {.path = "/v1/stream",
     .content_type = "text/event-stream",
     .render = stream_render,
     .summary = "The live stream, over WebSocket or as server-sent events.",
     .streams = true,
     .parameters = STREAM_PARAMETERS},
    {.path = "/healthz",
     .content_type = "text/plain; charset=utf-8",
     .render = render_health,
     .summary = "Liveness: the process responds.",
     .inline_ = true},
    {.path = "/readyz",
     .content_type = "text/plain; charset=utf-8",
     .render = render_ready,
     .summary = "Readiness: whether everything needed to serve requests is available.",
     .inline_ = true,
     .tells_why_not = true},
    {.path = "/metrics",
     .content_type = "text/plain; version=0.0.4; charset=utf-8",
     .render = render_metrics,
     .summary = "Metrics in the Prometheus text format."},
    {0},
};

const struct gateway_page *gateway_pages(bool with_routes)
{
        return with_routes ? pages : pages + N_GATEWAY_ONLY;
}
