/* Owns reading the access log of media that are not public. For administrators only: members are not told who looks at
 * their media. */
#include "services/media/media.h"

#include "services/media/store_access_logs.h"

static sn_status read_list(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                           ProtobufCMessage ***rows)
{
        return store_list_accesses(tx, context, scan, n, (MediaAccesses__MediaAccess ***)rows);
}

sn_status media_handle_list_media_accesses(struct rpc_call *c, const MediaAccesses__ListMediaAccessesRequest *in,
                                           MediaAccesses__MediaAccessList *out)
{
        struct page page;
        const char *filter = arena_printf(c->arena, "media accesses %s", in->id);

        TRY(page_read_rows(c, filter, read_list, in->id, PAGE_ASKED(in, MEDIA_ACCESSES__LIST_MEDIA_ACCESSES_REQUEST),
                           &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
