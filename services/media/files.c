/* Owns listing, changing and deleting members' own media. */
#include "services/media/media.h"

#include "services/media/collections.h"
#include "services/media/create.h"
#include "services/media/describe.h"
#include "services/media/owned.h"
#include "services/media/quota.h"
#include "services/media/served.h"
#include "services/media/store.h"
#include "services/media/store_collections.h"

sn_status owned_read(struct db_tx *tx, const char *id, Media__Media *out)
{
        MediaRows__StoredMedia row = MEDIA_ROWS__STORED_MEDIA__INIT;

        TRY(store_own_media(tx, id, &row));
        describe(db_call(tx), &row, row.owner_id);
        *out = *row.media;
        return SN_OK;
}

sn_status media_handle_get_media(struct rpc_call *c, const Media__GetMediaRequest *in, Media__Media *out)
{
        return DB_READ(c, tx, owned_read(tx, in->id, out));
}

sn_status media_handle_update_media(struct rpc_call *c, const Media__UpdateMediaRequest *in, Media__Media *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int32_t x = 0, y = 0;
        bool has_x = in->x_case != 0, has_y = in->y_case != 0;
        char **tags = NULL;

        TRY(focus_of(c, "focus_x", has_x ? in->focus_x : 0, &x));
        TRY(focus_of(c, "focus_y", has_y ? in->focus_y : 0, &y));
        TRY(tags_fold(c, in->n_tags, in->tags, &tags));
        TRY(db_begin(c, &tx));
        TRY(has_x || has_y ? queue_admit(tx, c->actor) : SN_OK);
        TRY(store_update_media(tx, in->id, c->actor, in->alt_case != 0 ? in->alt_text : NULL, has_x ? &x : NULL,
                               has_y ? &y : NULL));
        TRY(in->n_tags > 0 ? store_set_tags(tx, in->id, tags, in->n_tags) : SN_OK);
        TRY(owned_read(tx, in->id, out));
        if ((has_x || has_y) && out->kind == MEDIA__KIND__KIND_IMAGE) {
                TRY(process_later(tx, in->id, out->kind)); /* cropped variants depend on the focus */
        }
        return db_commit(c, NULL, &tx);
}

sn_status owned_delete(struct db_tx *tx, const char *id, const char *owner_id)
{
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;
        MediaRows__StoredMedia row = MEDIA_ROWS__STORED_MEDIA__INIT;
        bool has = false;

        TRY(store_lock_quota(tx, owner_id, &quota));
        TRY(store_delete_media(tx, id, owner_id, &row));
        served_forget(tx);
        TRY(media_emit(tx, EVENT_MEDIA_DELETED, &row));
        TRY(store_has_content(tx, owner_id, row.upload_sha256, &has));
        return has ? SN_OK : store_change_quota(tx, owner_id, -row.media->size_bytes, 0);
}

sn_status media_handle_delete_media(struct rpc_call *c, const Media__DeleteMediaRequest *in,
                                    Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, owned_delete(tx, in->id, c->actor));
}

sn_status media_handle_get_usage(struct rpc_call *c, const Media__GetUsageRequest *in, Media__Usage *out)
{
        out->quota_bytes = media_limits.quota_bytes;
        return DB_READ(c, tx, store_usage(tx, c->actor, out));
}

static sn_status read_list(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                           ProtobufCMessage ***rows)
{
        return store_list_media(tx, db_call(tx)->actor, context, scan, n, (MediaRows__StoredMedia ***)rows);
}

sn_status media_handle_list_media(struct rpc_call *c, const Media__ListMediaRequest *in, Media__MediaList *out)
{
        struct page page;
        struct media_filter filter = {.kind = (int)in->kind, .collection_id = in->collection_id};
        char *tag = NULL;

        if (in->tag[0] != '\0') {
                TRY(label_key(c, "tag", in->tag, &tag));
                filter.tag = tag;
        }
        const char *name =
            arena_printf(c->arena, "media %d %s %s", filter.kind, in->collection_id, tag != NULL ? tag : "");
        TRY(page_read_rows(c, name, read_list, &filter, PAGE_ASKED(in, MEDIA__LIST_MEDIA_REQUEST), &page));
        for (size_t i = 0; i < page.n; i++) {
                MediaRows__StoredMedia *row = (MediaRows__StoredMedia *)page.items[i];

                describe(c, row, c->actor);
                page.items[i] = &row->media->base;
        }
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
