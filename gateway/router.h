/* Routes: from verb and path to a method of a contract, or a page of the gateway's own. */
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
        /* one of these */
        const struct rpc_method *method;
        const struct gateway_page *page;
        const struct web_file *file;
        struct metric *answers[ROUTE_STATUS_CLASSES]; /* of a method: how many there were */
};

struct route_variable {
        const char *name;
        struct str value; /* percent-decoded, in the arena */
};

struct route_match {
        const struct route *route;        /* NULL: none for this verb */
        const struct rpc_method *at_path; /* whose headers answers at the path have; NULL: of none */
        const char *allow; /* with no route: the verbs that the path has, "GET, PUT"; NULL: no such path */
        struct route_variable variables[ROUTE_MAX_VARIABLES];
        size_t n_variables;
};

struct router;

/* All methods of the contracts that have a path, the pages and the files (both ended by a NULL path). Lives as long as
 * the process. NULL with a sentence when two of them have the same verb and path. */
struct router *router_new(const struct rpc_service *const *services, size_t n, const struct gateway_page *pages,
                          const struct web_file *files, struct buf *error);
void router_free(struct router *router);

/* path as sent, percent-encoded; "*" with OPTIONS means the whole server, and gets all verbs in allow. A fixed segment
 * wins over a variable. HEAD is matched like GET where no route has it. False when the path is malformed (a bad escape,
 * an encoded NUL). */
bool router_match(const struct router *router, struct arena *arena, const char *verb, const char *path,
                  struct route_match *out);

#endif
