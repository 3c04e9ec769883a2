/* Owns the SQL of applicants. */
#include "services/messaging/store_applicants.h"

DB_STATEMENT(ADD_APPLICANT, "messaging_service", NULL,
             "insert into chat_applicants (chat_id, user_id) values ($1, $2) on conflict do nothing");

sn_status applicant_store_add(struct db_tx *tx, const char *chat_id, bool *added)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &ADD_APPLICANT, DB_BINDS(bind_uuid(chat_id), bind_uuid(db_call(tx)->actor)), &affected));
        *added = affected > 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_APPLICANTS, "messaging_service", &messaging__applicant__message,
             "select user_id as \"user.id\", created_at as applied_at from chat_applicants where chat_id = $1"
             " order by created_at, user_id limit $2");

sn_status applicant_store_list(struct db_tx *tx, const char *chat_id, size_t limit, size_t *n,
                               Messaging__Applicant ***applicants)
{
        return db_list(tx, &SELECT_APPLICANTS, DB_BINDS(bind_uuid(chat_id), bind_i64((int64_t)limit)), n, applicants);
}

DB_STATEMENT(REMOVE_APPLICANT, "messaging_service", NULL,
             "delete from chat_applicants where chat_id = $1 and user_id = $2");

sn_status applicant_store_remove(struct db_tx *tx, const char *chat_id, const char *user_id, bool *removed)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &REMOVE_APPLICANT, DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id)), &affected));
        *removed = affected > 0;
        return SN_OK;
}
