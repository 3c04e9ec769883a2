/* Judges the head of a request (RFC 9110, 9112) where libmicrohttpd is more lenient than a server behind other servers
 * may be: whatever two parties could read in two ways is refused. Copies what it takes into the request's arena. */
#include "http/internal.h"

#include <string.h>
#include <strings.h>

static bool is_token_char(unsigned char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if (!is_token_char((unsigned char)text[i])) {
                        return false;
                }
        }
        return len > 0;
}

/* Visible ASCII: whatever else a target has must be percent-encoded. */
static bool is_target(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7F || text[i] == '#') {
                        return false;
                }
        }
        return len > 0;
}

static bool is_field_value(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)text[i];
                if ((c < 0x20 && c != '\t') || c == 0x7F) {
                        return false;
                }
        }
        return true;
}

static bool parse_length(struct str digits, uint64_t *out)
{
        uint64_t value = 0;
        for (size_t i = 0; i < digits.len; i++) {
                if (digits.ptr[i] < '0' || digits.ptr[i] > '9' || i >= 18) {
                        return false;
                }
                value = value * 10 + (uint64_t)(digits.ptr[i] - '0');
        }
        *out = value;
        return digits.len > 0;
}

/* libmicrohttpd cuts lines in place: it writes NULs over the line ends, the colons and the spaces around the target,
 * and hands out pointers into that block. So a NUL that the client sent shows as a gap: the next piece does not start
 * where this one ends. A folded line (obsolete, and misread by this version) shows as a piece outside the block. */
struct block {
        const char *at, *end;
};

static bool block_takes(struct block *b, const char *piece, const char *piece_end)
{
        if (piece < b->at + 1 || piece > b->at + 2 || piece_end > b->end) { /* CR LF, or a bare LF */
                return false;
        }
        b->at = piece_end;
        return true;
}

static bool request_line_is_whole(const struct http_head *head)
{
        return head->uri_at == head->method + strlen(head->method) + 1 &&
               head->version == head->uri_at + head->uri_len + 1 && strlen(head->version) == strlen("HTTP/1.1");
}

/* Collects the headers of libmicrohttpd's list. */
struct collector {
        struct http_server *server;
        struct http_head *head;
        struct http_request *request;
        struct http_header *headers;
        struct block block;
        int hosts, lengths, encodings;
        int status;
        const char *detail;
};

static enum MHD_Result refuse(struct collector *x, int status, const char *detail)
{
        x->status = status;
        x->detail = detail;
        return MHD_NO;
}

static enum MHD_Result note_special(struct collector *x, const char *name, struct str value)
{
        if (strcasecmp(name, "Host") == 0) {
                x->hosts++;
                return is_target(value.ptr, value.len) || value.len == 0
                           ? MHD_YES
                           : refuse(x, 400, "The Host header is malformed.");
        }
        if (strcasecmp(name, "Content-Length") == 0) {
                x->lengths++;
                x->head->has_content_length = true;
                return parse_length(value, &x->head->content_length)
                           ? MHD_YES
                           : refuse(x, 400, "The Content-Length is no length.");
        }
        if (strcasecmp(name, "Transfer-Encoding") == 0) {
                x->encodings++;
                x->head->chunked = true;
                return str_equal_nocase(value, STR("chunked"))
                           ? MHD_YES
                           : refuse(x, 501, "The only transfer encoding known here is chunked.");
        }
        if (strcasecmp(name, "Expect") == 0 && !str_equal_nocase(value, STR("100-continue"))) {
                return refuse(x, 417, "The only expectation known here is 100-continue.");
        }
        return MHD_YES;
}

static enum MHD_Result collect(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
                               size_t value_len)
{
        struct collector *x = cls;
        if (value == NULL || !block_takes(&x->block, name, value + value_len)) {
                return refuse(x, 400, "A header contains a NUL character or is folded over several lines.");
        }
        if (!is_token(name, name_len)) {
                return refuse(x, 400, "A header's name has characters that names may not have.");
        }
        if (!is_field_value(value, value_len)) {
                return refuse(x, 400, "A header contains control characters.");
        }
        struct http_request *r = x->request;
        if (r->n_headers == HTTP_MAX_HEADERS) {
                return refuse(x, 431, "The request has too many headers.");
        }
        x->headers[r->n_headers++] = (struct http_header){arena_strndup(r->arena, name, name_len),
                                                          str_dup(r->arena, str_trim((struct str){value, value_len}))};
        return note_special(x, name, (struct str){value, value_len});
}

static int check_framing(const struct collector *x, const char **detail)
{
        bool http_10 = strcmp(x->head->version, "HTTP/1.0") == 0;
        if (x->hosts > 1 || (x->hosts == 0 && !http_10)) {
                *detail = x->hosts == 0 ? "The Host header is missing." : "The Host header is given twice.";
                return 400;
        }
        if (x->lengths > 1 || x->encodings > 1 || (x->lengths > 0 && x->encodings > 0)) {
                *detail = "The length of the body is given in more than one way.";
                return 400;
        }
        if (x->encodings > 0 && http_10) {
                *detail = "HTTP/1.0 has no transfer encodings.";
                return 400;
        }
        return 0;
}

/* Path and query of the target: the origin form, "*", or the absolute form, whose authority is left out. */
static bool split_target(const struct http_head *head, struct http_request *r)
{
        char *path = head->uri;
        if (!is_target(path, head->uri_len)) {
                return false;
        }
        if (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0) {
                char *authority = strstr(path, "://") + 3;
                path = authority + strcspn(authority, "/?");
                if (path == authority) {
                        return false;
                }
        }
        char *query = strchr(path, '?');
        if (query != NULL) {
                *query++ = '\0';
                r->query = str_of(query);
        }
        r->path = path[0] == '\0' ? "/" : path;
        return r->path[0] == '/' || (strcmp(r->path, "*") == 0 && strcmp(r->method, "OPTIONS") == 0);
}

static size_t head_bytes(struct MHD_Connection *mhd)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        return info == NULL ? SIZE_MAX : info->header_size;
}

static int check_lines(struct http_server *server, struct MHD_Connection *mhd, struct http_head *head,
                       struct http_request *r, const char **detail)
{
        size_t bytes = head_bytes(mhd);
        if (bytes > server->options.max_header_bytes) {
                *detail = "The request's headers are too large.";
                return 431;
        }
        struct collector x = {.server = server,
                              .head = head,
                              .request = r,
                              .headers = ARENA_ARRAY(r->arena, struct http_header, HTTP_MAX_HEADERS)};
        x.block = (struct block){head->version + strlen(head->version), head->method + bytes};
        r->headers = x.headers;
        MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, collect, &x);
        if (x.status != 0) {
                *detail = x.detail;
                return x.status;
        }
        if (x.block.end - x.block.at < 2 ||
            x.block.end - x.block.at > 4) { /* the end of the last line, and the empty one */
                *detail = "A header contains a NUL character or is folded over several lines.";
                return 400;
        }
        return check_framing(&x, detail);
}

int http_check_head(struct http_server *server, struct MHD_Connection *mhd, struct http_head *head,
                    struct http_request *r, const char **detail)
{
        r->method = arena_strdup(r->arena, head->method);
        if (!request_line_is_whole(head) || !is_token(r->method, strlen(r->method)) || !split_target(head, r)) {
                r->path = r->path == NULL ? "" : r->path;
                *detail = "The request line is malformed.";
                return 400;
        }
        return check_lines(server, mhd, head, r, detail);
}
