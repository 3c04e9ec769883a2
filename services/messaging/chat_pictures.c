/* Owns the pictures of groups and channels. */
#include "services/messaging/chat_pictures.h"

#include "services/media/media.rpc.h"
#include "services/messaging/store_chats.h"

sn_status chat_picture_bring(struct rpc_call *c, char *media_id, struct chat_picture *picture)
{
        Media__AttachRequest in = MEDIA__ATTACH_REQUEST__INIT;
        Media__Descriptions out = MEDIA__DESCRIPTIONS__INIT;

        if (media_id[0] == '\0') {
                return SN_OK;
        }
        in.owner_id = (char *)c->actor;
        in.object_id = uuid_new_in(c->arena);
        in.ids = &media_id;
        in.n_ids = 1;
        sn_status status = media_attach(c, &in, &out);
        if (status == SN_INVALID_ARGUMENT ||
            (status == SN_OK && (out.n_items != 1 || out.items[0]->kind != MEDIA__KIND__KIND_IMAGE))) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "picture_media_id",
                                "you have no picture with this id, or it has failed");
        }
        TRY(status);
        *picture = (struct chat_picture){.media_id = media_id, .use_id = in.object_id, .media = out.items[0]};
        return SN_OK;
}

static sn_status tell_media(struct db_tx *tx, const char *type, const char *use_id)
{
        return use_id != NULL && use_id[0] != '\0'
                   ? outbox_put(tx, &(struct outbox_event){.type = type, .aggregate_id = use_id})
                   : SN_OK;
}

sn_status chat_picture_put(struct db_tx *tx, const char *chat_id, const struct chat_picture *picture)
{
        char *before = NULL;

        TRY(chat_store_set_picture(tx, chat_id, picture->media_id, picture->use_id, &before));
        TRY(tell_media(tx, EVENT_MEDIA_ATTACHED, picture->use_id));
        return tell_media(tx, EVENT_MEDIA_DETACHED, before);
}

sn_status chat_pictures_show(struct rpc_call *c, chat_member *const *members, size_t n, Messaging__Chat **chats)
{
        Media__BatchDescribeRequest in = MEDIA__BATCH_DESCRIBE_REQUEST__INIT;
        Media__Descriptions out = MEDIA__DESCRIPTIONS__INIT;
        size_t *places = ARENA_ARRAY(c->arena, size_t, n);

        in.ids = ARENA_ARRAY(c->arena, char *, n);
        in.viewer_ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                if (members[i]->picture_id[0] != '\0') {
                        places[in.n_ids] = i;
                        in.ids[in.n_ids++] = members[i]->picture_id;
                        in.viewer_ids[in.n_viewer_ids++] = members[i]->user_id;
                }
        }
        TRY(in.n_ids > 0 ? media_batch_describe(c, &in, &out) : SN_OK);
        if (out.n_items != in.n_ids) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the media service answered with the wrong number of media");
        }
        for (size_t i = 0; i < out.n_items; i++) {
                chats[places[i]]->picture = out.items[i]->id[0] != '\0' ? out.items[i] : NULL;
        }
        return SN_OK;
}
