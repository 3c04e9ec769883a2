/* Owns content codings and entity tags of responses. */
#include "gateway/content.h"

#include <string.h>

#include "gateway/compress.h"
#include "gateway/etag.h"

static enum coding choose_coding(const struct http_request *r, const struct http_response *response,
                                 struct content_rules rules)
{
        bool small = response->body.len < CONTENT_COMPRESSED_FROM;

        return rules.secret || small || response->body.overflow ? CODING_IDENTITY : coding_choose(r, CODING_ANY);
}

/* HEAD gets only the headers. */
static void replace_body(enum coding coding, const struct http_request *r, struct http_response *response)
{
        struct buf small;

        http_response_header(response, "Content-Encoding", coding_name(coding));
        if (strcmp(r->method, "HEAD") == 0) {
                response->no_length = true;
                return;
        }
        compress_bytes(coding, COMPRESS_FAST, (struct str){response->body.data, response->body.len}, &small);
        buf_free(&response->body);
        response->body = small;
}

void content_finish(const struct http_request *r, struct http_response *response, struct content_rules rules)
{
        enum coding coding = choose_coding(r, response, rules);

        if (!rules.secret) {
                http_response_header(response, "Vary", "Accept-Encoding");
        }
        if (rules.tagged) {
                etag_set(r, response, etag_of(r->arena, &response->body, coding));
        }
        if (coding != CODING_IDENTITY && response->status != 304) {
                replace_body(coding, r, response);
        }
}

void content_send(const struct http_request *r, const struct content *content, struct http_response *response)
{
        unsigned available = 0;

        for (int c = 0; c < CODINGS; c++) {
                available |= content->bytes[c].ptr != NULL ? 1u << c : 0;
        }
        enum coding coding = coding_choose(r, available);

        response->status = 200;
        buf_borrow(&response->body, content->bytes[coding].ptr, content->bytes[coding].len);
        http_response_header(response, "Vary", "Accept-Encoding");
        etag_set(r, response, content->tags[coding]);
        if (coding != CODING_IDENTITY && response->status != 304) {
                http_response_header(response, "Content-Encoding", coding_name(coding));
        }
}
