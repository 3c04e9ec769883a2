/* Owns how files are answered: compression, tags, and what a page may do in a browser. */
#include "gateway/files.h"

#include "base/str.h"
#include "gateway/etag.h"

/* A page of ours runs our scripts only, and stands in no frame. Swagger UI sets styles inline. */
#define CONTENT_SECURITY_POLICY                                                                                        \
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; "         \
        "base-uri 'none'; form-action 'none'"

static bool accepts_gzip(const struct http_request *r)
{
        const char *header = http_request_header(r, "Accept-Encoding");
        struct str rest = str_of(header != NULL ? header : ""), one, coding;

        while (str_next(&rest, ',', &one)) {
                if (str_next(&one, ';', &coding) && str_equal_nocase(str_trim(coding), STR("gzip"))) {
                        return !str_starts(str_trim(one), STR("q=0")) || str_starts(str_trim(one), STR("q=0."));
                }
        }
        return false;
}

void file_render(const struct web_file *file, const struct http_request *r, struct http_response *response)
{
        bool gzip = accepts_gzip(r);
        const char *data = gzip ? file->gzip : file->data, *end = gzip ? file->gzip_end : file->data_end;

        response->status = 200;
        buf_borrow(&response->body, data, (size_t)(end - data));
        http_response_header(response, "Content-Type", file->content_type);
        if (gzip) {
                http_response_header(response, "Content-Encoding", "gzip");
        }
        http_response_header(response, "Vary", "Accept-Encoding");
        http_response_header(response, "Cache-Control", "public, no-cache"); /* asked again, answered 304 */
        http_response_header(response, "Content-Security-Policy", CONTENT_SECURITY_POLICY);
        http_response_header(response, "Referrer-Policy", "no-referrer");
        etag_set(r, response, gzip ? file->etag_gzip : file->etag);
}
