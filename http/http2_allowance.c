/* Floods: frames that are cheap for the client and expensive for the server (CVE-2023-44487, and those of 2019). A
 * client has a budget of units, which is refilled by time, by completed requests and by the responses that it reads.
 * If the budget is used up, the connection ends with ENHANCE_YOUR_CALM. */
#include "http/http2.h"

enum { UNITS_MAX = 2000, UNITS_PER_SECOND = 200 };

void http2_allowance_init(struct http2_allowance *a, int64_t now_us)
{
        *a = (struct http2_allowance){.left = UNITS_MAX, .refilled_us = now_us};
}

static void refill_allowance(struct http2_allowance *a, int64_t now_us)
{
        int64_t units = (now_us - a->refilled_us) * UNITS_PER_SECOND / 1000000;
        if (units > 0) {
                a->left = a->left + units < UNITS_MAX ? a->left + units : UNITS_MAX;
                a->refilled_us = now_us;
        }
}

/* A reset discards a request that was read; a small DATA frame costs as much as a large one. */
static int cost_of(const nghttp2_frame_hd *frame)
{
        switch (frame->type) {
        case NGHTTP2_HEADERS:
                return 0; /* limited by the number of streams and the cost of resets */
        case NGHTTP2_DATA:
                return frame->length >= 1024 || (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0 ? 0 : 1;
        case NGHTTP2_RST_STREAM:
                return 4;
        case NGHTTP2_SETTINGS:
                return (frame->flags & NGHTTP2_FLAG_ACK) != 0 ? 1 : 10;
        default:
                return 1;
        }
}

void http2_calm(struct http2 *h)
{
        if (!h->closing) {
                metric_add(h->connection->loop->server->metrics.floods, 1);
        }
        http2_close(h, NGHTTP2_ENHANCE_YOUR_CALM);
}

void http2_spend(struct http2 *h, const nghttp2_frame_hd *frame)
{
        refill_allowance(&h->allowance, h->connection->loop->now_us);
        h->allowance.left -= cost_of(frame);
        if (h->allowance.left < 0) {
                http2_calm(h);
        }
}

void http2_earn(struct http2 *h, int units)
{
        int64_t left = h->allowance.left + units;
        h->allowance.left = left < UNITS_MAX ? left : UNITS_MAX;
}
