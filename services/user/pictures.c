/* Owns setting and removing the caller's avatar and header. Events tell media_service that the account shows a
 * picture, or no longer does; media that nothing else shows are then deleted. */
#include "services/user/pictures.h"

#include "services/media/media.rpc.h"
#include "services/user/authors.h"
#include "services/user/profile.h"
#include "services/user/store_profiles.h"
#include "services/user/user.h"

static const char *base_url = "";

void pictures_start(const char *public_url)
{
        base_url = public_url;
}

void picture_address(struct arena *arena, char **url)
{
        if ((*url)[0] != '\0' && base_url[0] != '\0') {
                *url = arena_printf(arena, "%s%s", base_url, *url);
        }
}

static sn_status fail_no_picture(struct rpc_call *c)
{
        return rpc_fail(c, SN_INVALID_ARGUMENT, "media_id",
                        "you have no picture with this ID, or its processing failed");
}

/* Before the transaction; media_service drops it if no event confirms it. */
static sn_status attach_picture(struct rpc_call *c, char *use_id, char *media_id)
{
        Media__AttachRequest in = MEDIA__ATTACH_REQUEST__INIT;
        Media__Descriptions out = MEDIA__DESCRIPTIONS__INIT;

        in.owner_id = (char *)c->actor;
        in.object_id = use_id;
        in.is_public = true;
        in.ids = &media_id;
        in.n_ids = 1;
        sn_status status = media_attach(c, &in, &out);
        bool other = status == SN_OK && (out.n_items != 1 || out.items[0]->kind != MEDIA__KIND__KIND_IMAGE);
        return status == SN_INVALID_ARGUMENT || other ? fail_no_picture(c) : status;
}

static sn_status put_event(struct db_tx *tx, const char *type, const char *use_id)
{
        return use_id[0] == '\0' ? SN_OK : outbox_put(tx, &(struct outbox_event){.type = type, .aggregate_id = use_id});
}

/* use_id and media_id "": none. */
static sn_status change_picture(struct db_tx *tx, enum picture which, const char *media_id, const char *use_id)
{
        const char *old_use_id = "";

        TRY(store_set_picture(tx, which, media_id, use_id, &old_use_id));
        TRY(put_event(tx, EVENT_USER_MEDIA_ATTACHED, use_id));
        TRY(put_event(tx, EVENT_USER_MEDIA_DETACHED, old_use_id));
        authors_changed(tx, db_call(tx)->actor);
        return SN_OK;
}

static sn_status put_picture(struct rpc_call *c, enum picture which, char *media_id, User__User *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *use_id = uuid_new_in(c->arena);

        TRY(attach_picture(c, use_id, media_id));
        TRY(db_begin(c, &tx));
        TRY(change_picture(tx, which, media_id, use_id));
        TRY(profile_read_me(tx, out));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_put_avatar(struct rpc_call *c, const UserProfiles__PutPictureRequest *in, User__User *out)
{
        return put_picture(c, PICTURE_AVATAR, in->media_id, out);
}

sn_status user_handle_put_header(struct rpc_call *c, const UserProfiles__PutPictureRequest *in, User__User *out)
{
        return put_picture(c, PICTURE_HEADER, in->media_id, out);
}

sn_status user_handle_delete_avatar(struct rpc_call *c, const UserProfiles__DeletePictureRequest *in,
                                    Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, change_picture(tx, PICTURE_AVATAR, "", ""));
}

sn_status user_handle_delete_header(struct rpc_call *c, const UserProfiles__DeletePictureRequest *in,
                                    Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, change_picture(tx, PICTURE_HEADER, "", ""));
}
