/* Routes: from method and path to an RPC method or a page of the gateway. */
#ifndef GATEWAY_ROUTER_H
#define GATEWAY_ROUTER_H

#include "base/buf.h"
#include "base/contract.h"
#include "base/str.h"

#define ROUTE_MAX_VARIABLES 4

struct gateway_page; /* pages.h */
struct web_file;     /* web/web.h */

/* By the first digit of the status. */
#define ROUTE_STATUS_CLASSES 6

struct route {
        const char *verb;
        const char *path;
        /* exactly one of these is set */
        const struct rpc_method *method;
        const struct gateway_page *page;
        const struct web_file *file;
        struct metric *answers[ROUTE_STATUS_CLASSES]; /* for an RPC method: its responses by status class */
};

struct route_variable {
        const char *name;
        struct str value; /* percent-decoded, in the arena */
};

struct route_match {
        const struct route *route;        /* NULL: no route for this method and path */
        const struct rpc_method *at_path; /* a method of this path, for headers common to its responses; NULL: none */
        const char *allow;                /* without a route: the methods of the path, "GET, PUT"; NULL: unknown path */
        struct route_variable variables[ROUTE_MAX_VARIABLES];
        size_t n_variables;
};

struct router;

/* Routes to all methods of the contracts that have a path, the pages and the files (both ending with a NULL path).
 * It is never freed. NULL with a sentence in error if two of them have the same method and path. */
struct router *router_new(const struct rpc_service *const *services, size_t n, const struct gateway_page *pages,
                          const struct web_file *files, struct buf *error);
void router_free(struct router *router);

/* path is percent-encoded, as sent; "*" with OPTIONS means the whole server, and sets allow to all methods. Fixed
 * segments take precedence over variables. HEAD is routed like GET unless it has its own route. False if the path is
 * malformed (an invalid escape, an encoded NUL). */
bool router_match(const struct router *router, struct arena *arena, const char *verb, const char *path,
                  struct route_match *out);

#endif
