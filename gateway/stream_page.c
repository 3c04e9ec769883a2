/* Owns the request for a stream: authentication, the choice of transport, and the response that turns the connection
 * into a stream. */
#include <string.h>
#include "auth/token.h"
#include "gateway/stream.h"
#include "gateway/transcode.h"

const struct rpc_method stream_method = {.name = "Stream",
                                         .full_name = "/v1/stream",
                                         .access = RPC_PUBLIC,
                                         .rate = RPC_RATE_READ,
                                         .deadline_ms = STREAM_COMMAND_MS};

sn_status stream_identity_of(struct rpc_call *c, struct stream_identity *identity)
{
        struct token_claims claims = {0};

        if (c->actor[0] != '\0') {
                TRY(token_verify(c, str_of(c->bearer), &claims));
        }
        *identity = (struct stream_identity){c->actor, c->session, c->scope, c->bearer, claims.expires_s, claims.epoch};
        return SN_OK;
}

static bool has_token(const struct http_request *r, const char *name, const char *token)
{
        struct str rest = str_of(http_request_header(r, name)), one;

        while (rest.len > 0 && str_next(&rest, ',', &one)) {
                if (str_equal_nocase(str_trim(one), str_of(token))) {
                        return true;
                }
        }
        return false;
}

static bool accepts_events(const struct http_request *r)
{
        const char *accept = http_request_header(r, "Accept");

        return accept != NULL && strstr(accept, "text/event-stream") != NULL;
}

/* ---- WebSocket ---- */

static sn_status check_handshake(struct rpc_call *c, const struct http_request *r, const char **accept)
{
        const char *version = http_request_header(r, "Sec-WebSocket-Version");
        const char *key = http_request_header(r, "Sec-WebSocket-Key");
        char *text = arena_alloc(c->arena, WEBSOCKET_ACCEPT_SIZE);

        if (version == NULL || strcmp(version, "13") != 0) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "upgrade_required", "Sec-WebSocket-Version",
                                     "this server supports WebSocket version 13 only");
        }
        if (key == NULL || !websocket_accept(key, text)) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_request", "Sec-WebSocket-Key",
                                     "must be 16 random bytes, base64-encoded");
        }
        *accept = text;
        return SN_OK;
}

static sn_status open_socket(struct rpc_call *c, struct stream_hub *hub, const struct http_request *r,
                             const struct stream_identity *identity, struct http_response *response)
{
        struct stream *s = NULL;
        const char *accept = NULL;

        TRY(check_handshake(c, r, &accept));
        TRY(stream_new(c, hub, identity, false, &s));
        response->status = 101;
        http_response_header(response, "Upgrade", "websocket");
        http_response_header(response, "Connection", "Upgrade");
        http_response_header(response, "Sec-WebSocket-Accept", accept);
        response->upgrade = &stream_upgrade;
        response->upgrade_context = s;
        return SN_OK;
}

/* ---- Server-sent events ---- */

static sn_status read_channels(struct rpc_call *c, struct str query, const char **channels)
{
        struct str pair, name, value;

        *channels = NULL;
        while (str_next(&query, '&', &pair)) {
                if (!str_next(&pair, '=', &name) || !transcode_decode_query(c->arena, pair, &value)) {
                        return rpc_fail_code(
                            c, SN_INVALID_ARGUMENT, "malformed_request", NULL,
                            "the query string contains an invalid percent-escape; use %%XX with two hex digits");
                }
                if (!str_equal_c(name, "channels") || *channels != NULL) {
                        return rpc_fail(c, SN_INVALID_ARGUMENT, "channels",
                                        "must be the only query parameter, given once: ?channels=home,user:ada");
                }
                *channels = str_dup(c->arena, value);
        }
        return *channels != NULL && *channels[0] != '\0'
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "channels", "is required: ?channels=home,user:ada");
}

static sn_status check_channels(struct rpc_call *c, struct stream_hub *hub, const char *channels)
{
        struct str rest = str_of(channels), name;
        int64_t n = 0, most = hub->gateway->options.settings->stream_channels;

        while (str_next(&rest, ',', &name)) {
                if (name.len > STREAM_NAME_BYTES || ++n > most) {
                        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", "channels",
                                             "must be at most %lld channel names of up to %d bytes each",
                                             (long long)most, STREAM_NAME_BYTES);
                }
                TRY(stream_check_channel(c, hub, str_dup(c->arena, name)));
        }
        return SN_OK;
}

static sn_status open_events(struct rpc_call *c, struct stream_hub *hub, const struct http_request *r,
                             const struct stream_identity *identity, struct http_response *response)
{
        const char *since = http_request_header(r, "Last-Event-ID"), *channels = NULL;
        struct stream_since positions;
        struct stream *s = NULL;

        TRY(read_channels(c, r->query, &channels));
        TRY(stream_since_read(c, "since", since != NULL ? since : "", &positions));
        TRY(check_channels(c, hub, channels));
        response->status = 200;
        http_response_header(response, "Cache-Control", "no-store");
        http_response_header(response, "X-Accel-Buffering", "no"); /* so that nginx does not buffer it */
        if (!r->http_2) {
                http_response_header(response, "Connection", "close"); /* its body has no other end */
        }
        if (strcmp(r->method, "HEAD") == 0) {
                return SN_OK;
        }
        TRY(stream_new(c, hub, identity, true, &s));
        s->wanted = strdup(channels);
        s->since = strdup(since != NULL ? since : "");
        response->upgrade = &stream_upgrade;
        response->upgrade_context = s;
        return SN_OK;
}

/* ---- The request ---- */

static sn_status choose_channels(struct rpc_call *c, struct stream_hub *hub, const struct http_request *r,
                                 const struct stream_identity *identity, struct http_response *response)
{
        if (strcmp(r->method, "GET") == 0 && has_token(r, "Upgrade", "websocket") &&
            has_token(r, "Connection", "Upgrade")) {
                return open_socket(c, hub, r, identity, response);
        }
        if (accepts_events(r)) {
                return open_events(c, hub, r, identity, response);
        }
        if (r->http_2) {
                return rpc_fail_code(c, SN_UNIMPLEMENTED, "http_version", NULL,
                                     "this is a stream: over HTTP/2 use Accept: text/event-stream; WebSocket "
                                     "requires HTTP/1.1");
        }
        http_response_header(response, "Upgrade", "websocket");
        return rpc_fail_code(c, SN_FAILED_PRECONDITION, "upgrade_required", NULL,
                             "this is a stream: connect with WebSocket, or use Accept: text/event-stream");
}

static sn_status open_stream(struct gateway *gateway, struct http_request *r, struct http_response *response,
                             struct rpc_call **c)
{
        struct stream_identity identity;

        TRY(exchange_identify(r->user, &stream_method, response, c));
        TRY(stream_identity_of(*c, &identity));
        return choose_channels(*c, gateway->streams, r, &identity, response);
}

bool stream_render(struct gateway *gateway, struct http_request *r, struct http_response *response)
{
        struct rpc_call *c = NULL;

        if (open_stream(gateway, r, response, &c) != SN_OK) {
                exchange_refuse(r->user, &c->problem, response);
                return false;
        }
        return response->status == 200;
}
