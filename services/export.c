/* Owns reading a member's exported data, and the format of the export. */
#include "services/export.h"

#include <string.h>
#include "base/clock.h"
#include "services/services.h"

enum { ITEMS = 200, BYTES = 256 * 1024 };

static const struct service_export *find_kind(const struct service_export *kinds, const char *name)
{
        for (; kinds != NULL && kinds->kind != NULL; kinds++) {
                if (strcmp(kinds->kind, name) == 0) {
                        return kinds;
                }
        }
        return NULL;
}

/* As many rows as fit into one message; a single one always fits. */
static void take_items(struct rpc_call *c, const struct db_rows *rows, export_portion *out)
{
        size_t n = db_rows_count(rows), bytes = 0;

        out->items = ARENA_ARRAY(c->arena, Sonet__Export__Item *, n);
        while (out->n_items < n && bytes < BYTES) {
                Sonet__Export__Item *item = ARENA_NEW(c->arena, Sonet__Export__Item);

                sonet__export__item__init(item);
                item->position = (char *)db_text(rows, out->n_items, "position");
                item->json = (char *)db_text(rows, out->n_items, "json");
                bytes += strlen(item->json);
                out->items[out->n_items++] = item;
        }
        out->more = out->n_items < n || n == ITEMS;
}

sn_status export_answer(struct rpc_call *c, const export_request *in, export_portion *out)
{
        const struct service_export *kind = find_kind(service_definition_find(c->service->name)->exports, in->kind);
        struct db_rows *rows = NULL;

        if (kind == NULL) {
                return rpc_fail(c, SN_NOT_FOUND, "kind", "%s keeps no \"%s\" of members", c->service->name, in->kind);
        }
        TRY(DB_READ(c, tx,
                    db_rows(tx, kind->statement,
                            DB_BINDS(bind_uuid(in->member_id), bind_text(in->after), bind_i64(ITEMS)), &rows)));
        take_items(c, rows, out);
        return SN_OK;
}

bool export_part_at(size_t place, struct export_part *out)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct service_export *kind = sonet_services[i]->exports;

                for (; kind != NULL && kind->kind != NULL; kind++) {
                        if (place-- == 0) {
                                *out = (struct export_part){sonet_services[i], kind};
                                return true;
                        }
                }
        }
        return false;
}

void export_write_start(struct buf *out, const char *member_id, int64_t now_ms)
{
        char created[CLOCK_RFC3339_SIZE];

        buf_printf(out, "{\"member_id\":\"%s\",\"created_at\":\"%s\",\"items\":[", member_id,
                   clock_format_ms(now_ms, created));
}

void export_write_items(struct buf *out, const struct export_part *part, const export_portion *page, bool first)
{
        for (size_t i = 0; i < page->n_items; i++) {
                buf_printf(out, "%s\n{\"service\":\"%s\",\"kind\":\"%s\",\"item\":%s}", first && i == 0 ? "" : ",",
                           part->service->name, part->kind->kind, page->items[i]->json);
        }
}

void export_write_end(struct buf *out)
{
        buf_append_c(out, "\n]}\n");
}
