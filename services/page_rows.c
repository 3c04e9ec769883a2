/* Owns lists whose rows are all shown: from one statement, by ID, newest first. */
#include "services/page.h"

#include <string.h>
#include "base/in_flight.h"
#include "db/db.h"

struct rows {
        page_rows_read read;
        const void *context;
        size_t n; /* fetched last */
        ProtobufCMessage **items;
};

static const char *id_of(const ProtobufCMessage *item)
{
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(item->descriptor, "id");

        return *(char *const *)((const char *)item + field->offset);
}

static sn_status fetch_rows(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        struct rows *rows = context;

        /* First, so that everything read afterwards is complete. */
        (void)in_flight_settled(c->service, out->settled.id);
        TRY(DB_READ(c, tx, rows->read(tx, rows->context, scan, &rows->n, &rows->items)));
        out->n = rows->n;
        out->items = ARENA_ARRAY(c->arena, struct page_ref, out->n);
        for (size_t i = 0; i < out->n; i++) {
                memcpy(out->items[i].at.id, id_of(rows->items[i]), UUID_SIZE);
        }
        return SN_OK;
}

static sn_status show_rows(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                           ProtobufCMessage ***items)
{
        const struct rows *rows = context;

        *items = ARENA_ARRAY(c->arena, ProtobufCMessage *, n);
        for (size_t i = 0; i < rows->n && *n_items < n; i++) {
                if (strcmp(id_of(rows->items[i]), ids[*n_items]) == 0) {
                        (*items)[(*n_items)++] = rows->items[i];
                }
        }
        return SN_OK;
}

sn_status page_read_rows(struct rpc_call *c, const char *filter, page_rows_read read, const void *context,
                         const struct page_asked *asked, struct page *out)
{
        struct rows rows = {.read = read, .context = context};
        struct page_source source = {
            .filter = filter, .newest_first = true, .fetch = fetch_rows, .show = show_rows, .context = &rows};

        return page_read(c, &source, asked, out);
}
