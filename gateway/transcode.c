/* Owns the mapping between HTTP and messages. */
#include "gateway/transcode.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>
#include "gateway/answer_headers.h"
#include "gateway/content.h"
#include "gateway/upload.h"
#include "json/json.h"
#include "sonet/file.rpc.h"

bool transcode_decode_query(struct arena *arena, struct str in, struct str *out)
{
        char *text = arena_alloc(arena, in.len + 1);
        size_t n = 0;

        for (size_t i = 0; i < in.len; i++) {
                if (in.ptr[i] == '%') {
                        unsigned char byte = 0;
                        size_t len = 0;

                        if (i + 2 >= in.len || sodium_hex2bin(&byte, 1, in.ptr + i + 1, 2, NULL, &len, NULL) != 0 ||
                            len != 1) {
                                return false;
                        }
                        text[n++] = (char)byte;
                        i += 2;
                } else {
                        text[n++] = in.ptr[i] == '+' ? ' ' : in.ptr[i];
                }
        }
        *out = (struct str){text, n};
        return true;
}

static struct str variable_name(const struct route_variable *v)
{
        return (struct str){v->name, strcspn(v->name, "}")};
}

static bool in_path(const struct exchange *x, struct str name)
{
        for (size_t i = 0; i < x->match.n_variables; i++) {
                if (str_equal(variable_name(&x->match.variables[i]), name)) {
                        return true;
                }
        }
        return false;
}

#define QUERY_MAX_FIELDS 32
#define LINK_MAX_BYTES   65536 /* two addresses, each no longer than the head that named it, and two cursors */

static bool seen_before(struct str *seen, size_t *n, struct str name)
{
        for (size_t i = 0; i < *n; i++) {
                if (str_equal(seen[i], name)) {
                        return true;
                }
        }
        if (*n < QUERY_MAX_FIELDS) {
                seen[(*n)++] = name;
        }
        return false;
}

/* The list named by a parameter; its elements may be comma-separated, repeated under the name, or given as `name[]`. */
static const char *list_named(const struct rpc_message *type, struct str name)
{
        if (name.len > 2 && memcmp(name.ptr + name.len - 2, "[]", 2) == 0) {
                name.len -= 2;
        }
        for (unsigned i = 0; i < type->n_fields; i++) {
                const struct rpc_field *field = &type->fields[i];

                if (field->shape == SHAPE_LIST && str_equal_c(name, field->name)) {
                        return field->name;
                }
        }
        return NULL;
}

/* Fields that REST does not take from the query or a form: bytes of the body, headers, conditions. */
static bool is_elsewhere(const struct rpc_method *m, const struct rpc_field *field)
{
        return field->rule.chunk || field->rule.header != NULL ||
               (m->answers_file && field == contract_conditions_field(m->in));
}

sn_status transcode_check_place(struct rpc_call *c, const struct rpc_method *m, struct str name)
{
        const struct rpc_field *field = contract_field(m->in, name);

        return field == NULL || !is_elsewhere(m, field)
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, field->name, "Unknown parameter.");
}

static sn_status read_query(struct rpc_call *c, const struct exchange *x, ProtobufCMessage *in)
{
        const struct rpc_message *type = x->match.route->method->in;
        struct str rest = x->request->query, pair, name, value, seen[QUERY_MAX_FIELDS];
        size_t n_seen = 0;

        while (str_next(&rest, '&', &pair)) {
                struct str raw_value = pair, raw_name;

                if (pair.len == 0) {
                        continue;
                }
                if (!str_next(&raw_value, '=', &raw_name) || !transcode_decode_query(c->arena, raw_name, &name) ||
                    !transcode_decode_query(c->arena, raw_value, &value)) {
                        return rpc_fail_code(
                            c, SN_INVALID_ARGUMENT, "malformed_request", NULL,
                            "the query string contains an invalid percent-escape; use %%XX with two hex digits");
                }
                const char *list = list_named(type, name);

                if (list != NULL) {
                        name = str_of(list);
                } else if (in_path(x, name) || seen_before(seen, &n_seen, name)) {
                        return rpc_fail(c, SN_INVALID_ARGUMENT, str_dup(c->arena, name), "must be given only once");
                }
                TRY(transcode_check_place(c, x->match.route->method, name));
                TRY(json_set_field(c, type, in, name, value));
        }
        return SN_OK;
}

/* The first value; n gets the number of values. */
static const char *find_header(const struct http_header *headers, size_t n_headers, const char *name, size_t *n)
{
        const char *value = NULL;

        for (size_t i = 0; i < n_headers; i++) {
                if (strcasecmp(headers[i].name, name) == 0) {
                        value = value == NULL ? headers[i].value : value;
                        (*n)++;
                }
        }
        return value;
}

/* In the head, or in the trailers if allowed there. */
static sn_status find_field(struct rpc_call *c, const struct http_request *r, const struct rpc_field *field,
                            const char **value)
{
        const char *header = field->rule.header;
        size_t n = 0;

        *value = find_header(r->headers, r->n_headers, header, &n);
        if (field->rule.trailer) {
                const char *trailer = find_header(r->trailers, r->n_trailers, header, &n);

                *value = *value == NULL ? trailer : *value;
        }
        return n <= 1 ? SN_OK
                      : rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_request", header,
                                      "this header may appear only once");
}

static sn_status read_headers(struct rpc_call *c, const struct exchange *x, ProtobufCMessage *in)
{
        const struct rpc_message *type = x->match.route->method->in;

        for (unsigned i = 0; i < type->n_fields; i++) {
                const char *value = NULL;

                if (type->fields[i].rule.header != NULL) {
                        TRY(find_field(c, x->request, &type->fields[i], &value));
                }
                if (value != NULL) {
                        TRY(json_set_field(c, type, in, str_of(type->fields[i].name), str_of(value)));
                }
        }
        return SN_OK;
}

/* A value that is too long is not understood, and therefore treated as absent. */
static char *condition(const struct exchange *x, const char *name, size_t max)
{
        const char *value = http_request_header(x->request, name);

        return value != NULL && strlen(value) <= max ? arena_strdup(x->request->arena, value)
                                                     : (char *)protobuf_c_empty_string;
}

static void read_conditions(const struct exchange *x, ProtobufCMessage *in)
{
        const struct rpc_message *type = x->match.route->method->in;
        File__Conditions *conditions = ARENA_NEW(x->request->arena, File__Conditions);

        file__conditions__init(conditions);
        conditions->range = condition(x, "Range", 200);
        conditions->if_range = condition(x, "If-Range", 200);
        if (conditions->if_range[0] == '\0' && http_request_header(x->request, "If-Range") != NULL) {
                /* Not understood: the range might be of another version of the file. */
                conditions->range = (char *)protobuf_c_empty_string;
        }
        conditions->if_none_match = condition(x, "If-None-Match", 2000);
        conditions->head = strcmp(x->request->method, "HEAD") == 0;
        *(File__Conditions **)((char *)in + contract_conditions_field(type)->offset) = conditions;
}

static sn_status read_body(struct rpc_call *c, const struct exchange *x, ProtobufCMessage *in)
{
        const char *skip[ROUTE_MAX_VARIABLES + 1] = {0};

        if (x->request->query.len > 0) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_request", NULL,
                                     "this method reads its fields from the body, not from the query string");
        }
        for (size_t i = 0; i < x->match.n_variables; i++) {
                skip[i] = str_dup(c->arena, variable_name(&x->match.variables[i]));
        }
        if (x->request->body.len == 0) {
                return SN_OK; /* validation then reports missing required fields */
        }
        return json_read_message(c, x->request->body, skip, x->match.route->method->in, in);
}

sn_status transcode_request(struct rpc_call *c, const struct exchange *x, ProtobufCMessage **out)
{
        const struct rpc_method *m = x->match.route->method;
        ProtobufCMessage *in = contract_new_message(m->in, c->arena);

        if (m->body == RPC_BODY_MULTIPART) {
                TRY(upload_read_fields(c, x, in));
        } else if (contract_takes_body(m) && m->body == RPC_BODY_MESSAGE) {
                TRY(read_body(c, x, in));
        } else {
                TRY(read_query(c, x, in));
        }
        TRY(read_headers(c, x, in));
        if (m->answers_file) {
                read_conditions(x, in);
        }
        for (size_t i = 0; i < x->match.n_variables; i++) {
                TRY(json_set_field(c, m->in, in, variable_name(&x->match.variables[i]), x->match.variables[i].value));
        }
        *out = in;
        return SN_OK;
}

static const char *cursor_of(const ProtobufCMessage *out, const char *name)
{
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(out->descriptor, name);

        return field != NULL && field->type == PROTOBUF_C_TYPE_STRING
                   ? *(char *const *)((const char *)out + field->offset)
                   : "";
}

/* The requested URL without its cursor, to which another one is appended. */
static void append_address(const struct exchange *x, struct buf *out)
{
        struct str rest = x->request->query, pair;

        buf_append_c(out, x->request->path);
        buf_append_char(out, '?');
        while (str_next(&rest, '&', &pair)) {
                if (pair.len > 0 && !str_starts(pair, STR("cursor=")) && !str_starts(pair, STR("after="))) {
                        buf_append(out, pair.ptr, pair.len);
                        buf_append_char(out, '&');
                }
        }
}

/* RFC 8288: next is older, prev is newer. */
static void add_link(struct rpc_call *c, const struct exchange *x, const ProtobufCMessage *out,
                     struct http_response *response)
{
        static const struct {
                const char *field, *parameter, *relation;
        } links[] = {{"next_cursor", "cursor=", "next"}, {"prev_cursor", "after=", "prev"}};
        CLEANUP(buf_free) struct buf value;

        buf_init(&value, LINK_MAX_BYTES);
        for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
                const char *cursor = cursor_of(out, links[i].field);

                if (cursor[0] != '\0') {
                        buf_append_c(&value, value.len > 0 ? ", <" : "<");
                        append_address(x, &value);
                        buf_append_c(&value, links[i].parameter);
                        buf_append_c(&value, cursor);
                        buf_append_c(&value, ">; rel=\"");
                        buf_append_c(&value, links[i].relation);
                        buf_append_char(&value, '"');
                }
        }
        if (value.len > 0) {
                http_response_header(response, "Link", arena_strndup(c->arena, value.data, value.len));
        }
}

static int success_status(const struct rpc_method *m, const ProtobufCMessage *out)
{
        return m->empty_is_204 && protobuf_c_message_get_packed_size(out) == 0 ? 204 : (int)m->success_status;
}

void transcode_response(struct rpc_call *c, const struct exchange *x, const ProtobufCMessage *out,
                        struct http_response *response)
{
        const struct rpc_method *m = x->match.route->method;
        bool get = strcmp(m->http_verb, "GET") == 0;

        response->status = success_status(m, out);
        answer_headers_of_message(c->arena, m->out, out, response);
        http_response_header(response, "Cache-Control", get ? "private, no-cache" : "no-store");
        if (response->status == 204) {
                return;
        }
        json_write_message(&response->body, m->out, out);
        http_response_header(response, "Content-Type", "application/json");
        add_link(c, x, out, response);
        content_finish(x->request, response, (struct content_rules){.tagged = get, .secret = m->answer_is_secret});
}
