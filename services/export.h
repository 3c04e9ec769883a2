/* The data that a service exports for a member: kinds of items, each with a statement over its own tables.
 * user_service's job that makes exports calls all services (ReadExport); `sonet admin user export` reads their
 * databases. */
#ifndef SERVICES_EXPORT_H
#define SERVICES_EXPORT_H

#include "base/buf.h"
#include "db/db.h"
#include "sonet/export.rpc.h"

/* $1: the member; $2: the position of the previous item, initially ''; $3: the number of items. Returns `position`,
 * text by which the items are sorted, and `json`: nothing secret, even to the member (hashes, seeds), and nothing
 * that others wrote. */
struct service_export {
        const char *kind; /* "notes" */
        const struct db_statement *statement;
};

typedef Sonet__Export__ReadExportRequest export_request;
typedef Sonet__Export__ReadExportResponse export_portion;

/* The handler of every service's internal method ReadExport: a portion of a few hundred items or 256 KiB.
 * SN_NOT_FOUND: unknown kind. */
SN_CHECKED sn_status export_answer(struct rpc_call *c, const export_request *in, export_portion *out);

/* A kind of a service, by its index among all kinds of all services. */
struct export_part {
        const struct service_definition *service;
        const struct service_export *kind;
};
/* False: the index is too large. */
bool export_part_at(size_t place, struct export_part *out);

/* The export: one JSON document, a line per item: {"member_id": …, "items": [{service, kind, item}, …]}. */
void export_write_start(struct buf *out, const char *member_id, int64_t now_ms);
/* first: these are the first items of the export. */
void export_write_items(struct buf *out, const struct export_part *part, const export_portion *page, bool first);
void export_write_end(struct buf *out);

#endif
