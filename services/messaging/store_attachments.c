/* Owns the SQL of messages' media. */
#include "services/messaging/store_attachments.h"

DB_STATEMENT(INSERT_ATTACHMENTS, "messaging_service", NULL,
             "insert into message_attachments (message_id, position, media_id, object_id)"
             " select $1, a.position, a.id, $3 from unnest($2::uuid[]) with ordinality a (id, position)");

sn_status attachment_store_put(struct db_tx *tx, const char *message_id, char *const *media_ids, size_t n,
                               const char *object_id)
{
        return db_exec_later(tx, &INSERT_ATTACHMENTS,
                             DB_BINDS(bind_uuid(message_id), bind_uuids(media_ids, n), bind_uuid(object_id)));
}

DB_STATEMENT(SELECT_ATTACHMENTS, "messaging_service", &messaging_rows__attachment__message,
             "select a.place - 1 as place, m.media_id from unnest($1::uuid[]) with ordinality a (id, place)"
             " join message_attachments m on m.message_id = a.id order by a.place, m.position");

sn_status attachment_store_list(struct db_tx *tx, char *const *message_ids, size_t n, size_t *n_rows,
                                MessagingRows__Attachment ***rows)
{
        return db_list(tx, &SELECT_ATTACHMENTS, DB_BINDS(bind_uuids(message_ids, n)), n_rows, rows);
}

DB_STATEMENT(DELETE_ATTACHMENTS, "messaging_service", NULL,
             "delete from message_attachments where message_id = $1 returning object_id");

sn_status attachment_store_delete(struct db_tx *tx, const char *message_id, char **object_id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &DELETE_ATTACHMENTS, DB_BINDS(bind_uuid(message_id)), &rows));
        *object_id = db_rows_count(rows) > 0 ? (char *)db_text(rows, 0, "object_id") : "";
        return SN_OK;
}
