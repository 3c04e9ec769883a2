/* Owns the SQL of invite links. */
#include "services/messaging/store_links.h"

/* A link ends when it expires or is used up, with its chat, and when its creator loses the role that allowed it. */
#define WORKS                                                                                                          \
        "l.uses_left > 0 and l.expires_at > now() and exists (select from chat_participants p join chats c"            \
        " on c.id = p.chat_id where p.chat_id = l.chat_id and p.user_id = l.creator_id and p.state = 1"                \
        " and p.role in (1, 2) and c.ended_at is null)"

DB_STATEMENT(INSERT_LINK, "messaging_service", &messaging__chat_link__message,
             "insert into chat_links (id, chat_id, creator_id, token_hash, uses, uses_left, expires_at, approval)"
             " values ($1, $2, $3, $4, $5::bigint, $5::bigint, now() + make_interval(secs => $6::bigint), $7)"
             " returning id, uses, uses_left, expires_at, created_at, approval");

sn_status link_store_insert(struct db_tx *tx, const struct new_link *link, Messaging__ChatLink *out)
{
        return db_one(tx, &INSERT_LINK,
                      DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_uuid(link->chat_id),
                               bind_uuid(db_call(tx)->actor), bind_bytes(link->hash, LINK_HASH_BYTES),
                               bind_i64(link->uses), bind_i64(link->expires_in_s), bind_bool(link->approval)),
                      &out->base, NULL);
}

DB_STATEMENT(SELECT_LINKS, "messaging_service", &messaging__chat_link__message,
             "select l.id, l.creator_id as \"creator.id\", l.uses, l.uses_left, l.expires_at, l.created_at, l.approval"
             " from chat_links l where l.chat_id = $1 and " WORKS " order by l.id desc limit $2");

sn_status link_store_list(struct db_tx *tx, const char *chat_id, size_t limit, size_t *n, Messaging__ChatLink ***links)
{
        return db_list(tx, &SELECT_LINKS, DB_BINDS(bind_uuid(chat_id), bind_i64((int64_t)limit)), n, links);
}

DB_STATEMENT(DELETE_LINK, "messaging_service", NULL, "delete from chat_links where chat_id = $1 and id = $2");

sn_status link_store_delete(struct db_tx *tx, const char *chat_id, const char *id, bool *deleted)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &DELETE_LINK, DB_BINDS(bind_uuid(chat_id), bind_uuid(id)), &affected));
        *deleted = affected > 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_LINK, "messaging_service", &messaging_rows__working_link__message,
             "select l.chat_id, l.approval from chat_links l where l.token_hash = $1 and " WORKS);

sn_status link_store_find(struct db_tx *tx, const uint8_t *hash, MessagingRows__WorkingLink *link, bool *found)
{
        return db_one(tx, &SELECT_LINK, DB_BINDS(bind_bytes(hash, LINK_HASH_BYTES)), &link->base, found);
}

DB_STATEMENT(USE_LINK, "messaging_service", NULL,
             "update chat_links l set uses_left = uses_left - 1 where l.token_hash = $1 and " WORKS);

sn_status link_store_use(struct db_tx *tx, const uint8_t *hash, bool *used)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &USE_LINK, DB_BINDS(bind_bytes(hash, LINK_HASH_BYTES)), &affected));
        *used = affected > 0;
        return SN_OK;
}

DB_STATEMENT(SWEEP_LINKS, "messaging_service", NULL,
             "delete from chat_links where id = any(array(select id from chat_links where expires_at < now()"
             " limit 1000))");

sn_status link_store_sweep(struct db_tx *tx)
{
        return db_exec(tx, &SWEEP_LINKS, DB_BINDS(), NULL);
}
