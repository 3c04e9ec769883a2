/* Owns the media attached to messages. */
#include "services/messaging/attachments.h"

#include "services/media/media.rpc.h"
#include "services/messaging/store_attachments.h"

sn_status attachments_bring(struct rpc_call *c, char **ids, size_t n, struct attachments *attachments)
{
        Media__AttachRequest in = MEDIA__ATTACH_REQUEST__INIT;
        Media__Descriptions out = MEDIA__DESCRIPTIONS__INIT;

        if (n == 0) {
                return SN_OK;
        }
        in.owner_id = (char *)c->actor;
        in.object_id = uuid_new_in(c->arena);
        in.ids = ids;
        in.n_ids = n;
        TRY(media_attach(c, &in, &out));
        if (out.n_items != n) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the media service answered with the wrong number of media");
        }
        *attachments = (struct attachments){.ids = ids, .n = n, .object_id = in.object_id, .media = out.items};
        return SN_OK;
}

static sn_status tell_media(struct db_tx *tx, const char *type, const char *object_id)
{
        return outbox_put(tx, &(struct outbox_event){.type = type, .aggregate_id = object_id});
}

sn_status attachments_put(struct db_tx *tx, const char *message_id, const struct attachments *a)
{
        TRY(a->n > 0 ? attachment_store_put(tx, message_id, a->ids, a->n, a->object_id) : SN_OK);
        return a->object_id != NULL ? tell_media(tx, EVENT_MEDIA_ATTACHED, a->object_id) : SN_OK;
}

static void add_media(struct rpc_call *c, Messaging__Message *message, Media__Media *media)
{
        if (message->media == NULL) {
                message->media = ARENA_ARRAY(c->arena, Media__Media *, ATTACHMENTS_MAX);
        }
        if (media->id[0] != '\0' && message->n_media < ATTACHMENTS_MAX) {
                message->media[message->n_media++] = media;
        }
}

static sn_status load_attachments(struct rpc_call *c, const struct shown *items, size_t n, size_t *n_rows,
                                  MessagingRows__Attachment ***rows)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                const chat_entry *e = items[i].entry;

                ids[i] = e->has_media && !e->deleted ? e->id : "";
        }
        return show_asks(ids, n) ? DB_READ(c, tx, attachment_store_list(tx, ids, n, n_rows, rows)) : SN_OK;
}

sn_status attachments_show(struct rpc_call *c, struct shown *items, size_t n)
{
        Media__BatchDescribeRequest in = MEDIA__BATCH_DESCRIBE_REQUEST__INIT;
        Media__Descriptions out = MEDIA__DESCRIPTIONS__INIT;
        MessagingRows__Attachment **rows = NULL;
        size_t n_rows = 0;

        TRY(load_attachments(c, items, n, &n_rows, &rows));
        if (n_rows == 0) {
                return SN_OK;
        }
        in.ids = ARENA_ARRAY(c->arena, char *, n_rows);
        in.viewer_ids = ARENA_ARRAY(c->arena, char *, n_rows);
        for (size_t i = 0; i < n_rows; i++) {
                in.viewer_ids[in.n_viewer_ids++] = (char *)items[rows[i]->place].viewer;
                in.ids[in.n_ids++] = rows[i]->media_id;
        }
        TRY(media_batch_describe(c, &in, &out));
        if (out.n_items != n_rows) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the media service answered with the wrong number of media");
        }
        for (size_t i = 0; i < n_rows; i++) {
                add_media(c, items[rows[i]->place].message, out.items[i]);
        }
        return SN_OK;
}

sn_status attachments_pass_on(struct rpc_call *c, chat_entry *message, struct attachments *attachments)
{
        Messaging__Message shown = MESSAGING__MESSAGE__INIT;

        TRY(attachments_show(c, &(struct shown){.entry = message, .viewer = c->actor, .message = &shown}, 1));
        attachments->ids = ARENA_ARRAY(c->arena, char *, shown.n_media);
        for (size_t i = 0; i < shown.n_media; i++) {
                attachments->ids[i] = shown.media[i]->id;
        }
        attachments->n = shown.n_media;
        attachments->media = shown.media;
        return SN_OK;
}

sn_status attachments_end(struct db_tx *tx, const char *message_id)
{
        char *object_id = NULL;

        TRY(attachment_store_delete(tx, message_id, &object_id));
        return object_id[0] != '\0' ? tell_media(tx, EVENT_MEDIA_DETACHED, object_id) : SN_OK;
}
