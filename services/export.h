/* What a service gives a member who asks for all that is kept of them: kinds of items, each a statement over its own
 * tables. `sonet admin user export` runs those of all services. */
#ifndef SERVICES_EXPORT_H
#define SERVICES_EXPORT_H

#include "db/db.h"

/* $1: the member; $2: the position of the last item before, '' at first; $3: how many items. Answers `position`, text
 * that the items are in the order of, and `item`, JSON: nothing that is secret, even for the member (hashes, seeds). */
struct service_export {
        const char *kind; /* "notes" */
        const struct db_statement *statement;
};

struct export_item {
        const char *position, *json;
};
SN_CHECKED sn_status export_read(struct rpc_call *c, const struct service_export *kind, const char *user_id,
                                 const char *after, size_t limit, size_t *n, struct export_item **items);

#endif
