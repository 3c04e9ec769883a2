/* Owns the tree of path segments. Built once, then read-only. */
#include "gateway/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/metrics.h"
#include "gateway/pages.h"
#include "web/web.h"

#define VERBS_MAX 6

struct node {
        char *segment;         /* NULL for a variable */
        struct node *children; /* with fixed segments */
        struct node *variable;
        struct node *next;
        struct route routes[VERBS_MAX];
        size_t n_routes;
};

struct router {
        struct node root;
        char verbs[64]; /* of all routes, "GET, HEAD, POST" */
};

static struct node *child_of(struct node *node, struct str segment)
{
        bool variable = segment.len > 0 && segment.ptr[0] == '{';
        struct node **at = variable ? &node->variable : &node->children;

        while (*at != NULL && !variable && !str_equal_c(segment, (*at)->segment)) {
                at = &(*at)->next;
        }
        if (*at == NULL) {
                *at = calloc(1, sizeof(**at));
                if (*at != NULL && !variable) {
                        (*at)->segment = strndup(segment.ptr, segment.len);
                }
        }
        return *at;
}

static void count_answers(struct route *route)
{
        for (int class = 2; route->method != NULL && class < ROUTE_STATUS_CLASSES; class ++) {
                route->answers[class] =
                    metric_counter("sonet_http_requests_total", "HTTP responses by method and status class.",
                                   metrics_intern("method=\"%s\",status=\"%dxx\"", route->method->name, class));
        }
}

/* No method's name is contained in another's; GET implies HEAD. */
static void add_verb(struct router *router, const char *verb)
{
        const char *shown = strcmp(verb, "GET") == 0 && strstr(router->verbs, "HEAD") == NULL ? "GET, HEAD" : verb;
        size_t len = strlen(router->verbs);

        if (strstr(router->verbs, verb) == NULL) {
                snprintf(router->verbs + len, sizeof(router->verbs) - len, "%s%s", len > 0 ? ", " : "", shown);
        }
}

static const char *name_of(const struct route *route)
{
        return route->method != NULL ? route->method->full_name : route->path;
}

/* Variables match regardless of name: two routes that differ only in that would be the same, and the second one
 * unreachable. */
static bool is_taken(const struct node *node, const struct route *route, struct buf *error)
{
        for (size_t i = 0; i < node->n_routes; i++) {
                if (strcmp(node->routes[i].verb, route->verb) == 0) {
                        buf_printf(error, "duplicate route: %s %s of %s, and %s of %s; change the path of one of them",
                                   route->verb, node->routes[i].path, name_of(&node->routes[i]), route->path,
                                   name_of(route));
                        return true;
                }
        }
        return false;
}

static sn_status add_route(struct router *router, const struct route *route, struct buf *error)
{
        struct str rest = str_of(route->path + 1), segment;
        struct node *node = &router->root;

        while (node != NULL && str_next(&rest, '/', &segment)) {
                node = child_of(node, segment);
        }
        if (node == NULL || node->n_routes == VERBS_MAX) {
                buf_printf(error, "too many routes: cannot add %s %s", route->verb, route->path);
                return SN_INTERNAL;
        }
        if (is_taken(node, route, error)) {
                return SN_FAILED_PRECONDITION;
        }
        add_verb(router, route->verb);
        node->routes[node->n_routes] = *route;
        count_answers(&node->routes[node->n_routes++]);
        return SN_OK;
}

static sn_status add_methods(struct router *router, const struct rpc_service *service, struct buf *error)
{
        for (size_t m = 0; m < service->n_methods; m++) {
                const struct rpc_method *method = &service->methods[m];

                if (method->http_verb != NULL) {
                        TRY(add_route(
                            router,
                            &(struct route){.verb = method->http_verb, .path = method->http_path, .method = method},
                            error));
                }
        }
        return SN_OK;
}

static sn_status add_all(struct router *router, const struct rpc_service *const *services, size_t n,
                         const struct gateway_page *pages, const struct web_file *files, struct buf *error)
{
        for (size_t s = 0; s < n; s++) {
                TRY(add_methods(router, services[s], error));
        }
        for (size_t p = 0; pages[p].path != NULL; p++) {
                TRY(add_route(router, &(struct route){.verb = "GET", .path = pages[p].path, .page = &pages[p]}, error));
        }
        for (size_t f = 0; files[f].path != NULL; f++) {
                TRY(add_route(router, &(struct route){.verb = "GET", .path = files[f].path, .file = &files[f]}, error));
        }
        return SN_OK;
}

static void free_node(struct node *node)
{
        if (node == NULL) {
                return;
        }
        free_node(node->children);
        free_node(node->variable);
        free_node(node->next);
        free(node->segment);
        free(node);
}

void router_free(struct router *router)
{
        if (router != NULL) {
                free_node(router->root.children);
                free_node(router->root.variable);
                free(router);
        }
}

struct router *router_new(const struct rpc_service *const *services, size_t n, const struct gateway_page *pages,
                          const struct web_file *files, struct buf *error)
{
        struct router *router = calloc(1, sizeof(*router));

        if (router == NULL || add_all(router, services, n, pages, files, error) != SN_OK) {
                router_free(router);
                return NULL;
        }
        return router;
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9') {
                return c - '0';
        }
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes one segment: every escape except NUL. An escaped '/' is part of the segment and does not split it. */
static bool decode_segment(struct arena *arena, struct str in, struct str *out)
{
        char *text = arena_alloc(arena, in.len + 1);
        size_t n = 0;

        for (size_t i = 0; i < in.len; i++) {

                if (in.ptr[i] != '%') {
                        text[n++] = in.ptr[i];
                        continue;
                }
                int high = i + 2 < in.len ? hex_digit(in.ptr[i + 1]) : -1;
                int low = i + 2 < in.len ? hex_digit(in.ptr[i + 2]) : -1;
                if (high < 0 || low < 0 || high * 16 + low == 0) {
                        return false;
                }
                text[n++] = (char)(high * 16 + low);
                i += 2;
        }
        *out = (struct str){text, n};
        return true;
}

static const struct node *descend_to(const struct node *node, struct str segment, bool *variable)
{
        *variable = false;
        for (const struct node *child = node->children; child != NULL; child = child->next) {
                if (str_equal_c(segment, child->segment)) {
                        return child;
                }
        }
        *variable = segment.len > 0;
        return segment.len > 0 ? node->variable : NULL;
}

/* The variables' names come from the route's own path: two routes may name the same segment differently. */
static void name_variables(struct route_match *match)
{
        struct str rest = str_of(match->route->path), segment;
        size_t n = 0;

        while (n < match->n_variables && str_next(&rest, '/', &segment)) {
                if (segment.len > 2 && segment.ptr[0] == '{') {
                        match->variables[n++].name = segment.ptr + 1; /* up to '}' */
                }
        }
}

static const struct route *find_verb(const struct node *node, const char *verb)
{
        for (size_t i = 0; i < node->n_routes; i++) {
                if (strcmp(node->routes[i].verb, verb) == 0) {
                        return &node->routes[i];
                }
        }
        return NULL;
}

static const struct route *find_route(const struct node *node, const char *verb)
{
        const struct route *route = find_verb(node, verb);

        return route == NULL && strcmp(verb, "HEAD") == 0 ? find_verb(node, "GET") : route;
}

static const struct rpc_method *with_headers(const struct node *node)
{
        for (size_t i = 0; i < node->n_routes; i++) {
                const struct rpc_method *m = node->routes[i].method;

                if (m != NULL && (m->headers != NULL || m->options_headers != NULL)) {
                        return m;
                }
        }
        return NULL;
}

static const char *allowed_methods(struct arena *arena, const struct node *node)
{
        char *text = arena_strdup(arena, "");

        for (size_t i = 0; i < node->n_routes; i++) {
                bool get = strcmp(node->routes[i].verb, "GET") == 0 && find_verb(node, "HEAD") == NULL;

                text = arena_printf(arena, "%s%s%s", text, text[0] != '\0' ? ", " : "",
                                    get ? "GET, HEAD" : node->routes[i].verb);
        }
        return arena_printf(arena, "%s, OPTIONS", text);
}

bool router_match(const struct router *router, struct arena *arena, const char *verb, const char *path,
                  struct route_match *out)
{
        const struct node *node = &router->root;
        struct str rest = str_of(path), segment;

        *out = (struct route_match){0};
        if (strcmp(verb, "OPTIONS") == 0 && strcmp(path, "*") == 0) {
                out->allow = arena_printf(arena, "%s, OPTIONS", router->verbs);
                return true;
        }
        if (rest.len == 0 || rest.ptr[0] != '/') {
                return false;
        }
        rest = (struct str){rest.ptr + 1, rest.len - 1};
        while (node != NULL && str_next(&rest, '/', &segment)) {
                bool variable = false;
                struct str decoded;

                if (!decode_segment(arena, segment, &decoded)) {
                        return false;
                }
                node = descend_to(node, decoded, &variable);
                if (node != NULL && variable) {
                        if (out->n_variables == ROUTE_MAX_VARIABLES) {
                                return true;
                        }
                        out->variables[out->n_variables++].value = decoded;
                }
        }
        bool slash_too_many = path[1] != '\0' && path[strlen(path) - 1] == '/';
        if (node == NULL || node->n_routes == 0 || slash_too_many) {
                return true;
        }
        out->at_path = with_headers(node);
        out->route = find_route(node, verb);
        if (out->route != NULL) {
                name_variables(out);
        } else {
                out->allow = allowed_methods(arena, node);
        }
        return true;
}
