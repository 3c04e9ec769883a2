/* Owns the headers of file responses. */
#include "gateway/file_response.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/problem.h"

/* For browsers that do not know filename* (RFC 6266, appendix D): replaces other characters by underscores. */
static char *ascii_name(struct arena *arena, const char *name)
{
        char *text = arena_strdup(arena, name);
        for (char *p = text; *p != '\0'; p++) {
                if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\' || *p == '%') {
                        *p = '_';
                }
        }
        return text;
}

/* RFC 8187: escapes everything but attr-char. */
static char *escaped_name(struct arena *arena, const char *name)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&+-.^_`|~";
        static const char digits[] = "0123456789ABCDEF";
        char *text = arena_alloc(arena, strlen(name) * 3 + 1), *out = text;
        for (; *name != '\0'; name++) {
                if (strchr(plain, *name) != NULL) {
                        *out++ = *name;
                } else {
                        *out++ = '%';
                        *out++ = digits[(unsigned char)*name >> 4];
                        *out++ = digits[*name & 15];
                }
        }
        *out = '\0';
        return text;
}

static const char *disposition(struct arena *arena, const File__Chunk *file)
{
        const char *kind = file->inline_ ? "inline" : "attachment";
        return file->file_name[0] == '\0'
                   ? kind
                   : arena_printf(arena, "%s; filename=\"%s\"; filename*=UTF-8''%s", kind,
                                  ascii_name(arena, file->file_name), escaped_name(arena, file->file_name));
}

static void add_validators(struct arena *arena, const File__Chunk *file, struct http_response *response)
{
        if (file->etag[0] != '\0') {
                http_response_header(response, "ETag", arena_printf(arena, "\"%s\"", file->etag));
        }
        http_response_header(response, "Cache-Control",
                             file->cache_control[0] != '\0' ? file->cache_control : "private, no-cache");
        if (file->vary[0] != '\0') {
                http_response_header(response, "Vary", file->vary);
        }
}

static void add_description(struct arena *arena, const File__Chunk *file, struct http_response *response)
{
        http_response_header(response, "Accept-Ranges", "bytes");
        http_response_header(response, "Content-Type",
                             file->mime_type[0] != '\0' ? file->mime_type : "application/octet-stream");
        http_response_header(response, "Content-Disposition", disposition(arena, file));
        /* However the browser interprets the file, it has no scripts and no origin. */
        http_response_header(response, "Content-Security-Policy", "default-src 'none'; sandbox");
        if (file->modified_at != NULL) {
                http_response_header(response, "Last-Modified",
                                     http_date_of(arena_alloc(arena, HTTP_DATE_SIZE), file->modified_at->seconds));
        }
}

static void refuse_range(const struct exchange *x, const File__Chunk *file, struct http_response *response)
{
        struct arena *arena = x->request->arena;
        problem_write_http(416, NULL, "The range starts beyond the end of the file.", x->request_id, arena, response);
        http_response_header(response, "Content-Range", arena_printf(arena, "bytes */%" PRId64, file->size));
}

void file_respond(struct rpc_call *c, const struct exchange *x, const File__Chunk *file, struct http_response *response)
{
        struct arena *arena = c->arena;
        if (file->outcome == FILE__OUTCOME__OUTCOME_UNSATISFIABLE) {
                refuse_range(x, file, response);
                return;
        }
        add_validators(arena, file, response);
        if (file->outcome == FILE__OUTCOME__OUTCOME_NOT_MODIFIED) {
                response->status = 304;
                return;
        }
        add_description(arena, file, response);
        response->status = 200;
        if (file->outcome == FILE__OUTCOME__OUTCOME_PART) {
                response->status = 206;
                http_response_header(response, "Content-Range",
                                     arena_printf(arena, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, file->offset,
                                                  file->offset + file->length - 1, file->size));
        }
        response->file = ARENA_NEW(arena, struct http_file);
        *response->file = (struct http_file){.fd = -1, .length = file->length};
        if (c->file != NULL) {
                *response->file = (struct http_file){c->file->fd, c->file->is_pipe, c->file->offset, c->file->length};
                c->file = NULL; /* now owned by the server */
        }
}
