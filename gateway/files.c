/* Owns serving static files, and the rights of our pages in the browser. */
#include "gateway/files.h"

#include "gateway/content.h"

/* Our pages run only our own scripts and cannot be framed. Swagger UI sets inline styles. */
#define CONTENT_SECURITY_POLICY                                                                                        \
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; "         \
        "base-uri 'none'; form-action 'none'"

static struct str between(const char *start, const char *end)
{
        return (struct str){start, (size_t)(end - start)};
}

void file_render(const struct web_file *file, const struct http_request *r, struct http_response *response)
{
        const struct content content = {
            .bytes = {[CODING_IDENTITY] = between(file->data, file->data_end),
                      [CODING_GZIP] = between(file->gzip, file->gzip_end)},
            .tags = {[CODING_IDENTITY] = file->etag, [CODING_GZIP] = file->etag_gzip},
        };

        http_response_header(response, "Content-Type", file->content_type);
        /* Revalidated each time, usually with a 304. */
        http_response_header(response, "Cache-Control", "public, no-cache");
        http_response_header(response, "Content-Security-Policy", CONTENT_SECURITY_POLICY);
        http_response_header(response, "Referrer-Policy", "no-referrer");
        content_send(r, &content, response);
}
