/* Owns the SQL on avatars and headers. */
#include "services/user/store_profiles.h"

#define SET_PICTURE(which)                                                                                             \
        "with old as (select id, " which "_use_id as use_id from users where id = $1 for update)"                      \
        " update users u set " which "_id = $2, " which                                                                \
        "_use_id = $3 from old where u.id = old.id returning old.use_id as old_use_id"

DB_STATEMENT(SET_AVATAR, "user_service", NULL, SET_PICTURE("avatar"));
DB_STATEMENT(SET_HEADER, "user_service", NULL, SET_PICTURE("header"));

sn_status store_set_picture(struct db_tx *tx, enum picture which, const char *media_id, const char *use_id,
                            const char **old_use_id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, which == PICTURE_AVATAR ? &SET_AVATAR : &SET_HEADER,
                    DB_BINDS(bind_uuid(db_call(tx)->actor), bind_uuid(media_id), bind_uuid(use_id)), &rows));
        *old_use_id = db_rows_count(rows) > 0 ? db_text(rows, 0, "old_use_id") : "";
        return SN_OK;
}

#define WITHOUT(which)                                                                                                 \
        which "_id = case when " which "_id = $1 then null else " which "_id end, " which "_use_id = case when " which \
              "_id = $1 then null else " which "_use_id end"

/* A media file has one owner, and only they can use it as a picture. */
DB_STATEMENT(DROP_PICTURE, "user_service", NULL,
             "update users set " WITHOUT("avatar") ", " WITHOUT(
                 "header") " where avatar_id = $1 or header_id = $1 returning id");

sn_status store_drop_picture(struct db_tx *tx, const char *media_id, const char **user_id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &DROP_PICTURE, DB_BINDS(bind_uuid(media_id)), &rows));
        *user_id = db_rows_count(rows) > 0 ? db_text(rows, 0, "id") : "";
        return SN_OK;
}
