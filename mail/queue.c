/* Owns the queue: the SQL, and encrypting what is in it. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "auth/keys.h"
#include "base/clock.h"
#include "mail/parts.h"

enum {
        MESSAGE_BYTES_MAX = 1 << 20,
        NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
        TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

/* ---- Encryption: recipient, NUL, message; bound to the row's ID ---- */

static void *encrypt_message(struct arena *arena, const char *id, const struct buf *plain, size_t *len)
{
        uint8_t key[32], *sealed = arena_alloc(arena, NONCE_BYTES + plain->len + TAG_BYTES);
        unsigned long long written = 0;

        keys_derive("mail-queue", key);
        random_bytes(sealed, NONCE_BYTES);
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, &written, (const uint8_t *)plain->data,
                                                         plain->len, (const uint8_t *)id, strlen(id), NULL, sealed,
                                                         key);
        sodium_memzero(key, sizeof(key));
        *len = NONCE_BYTES + (size_t)written;
        return sealed;
}

/* False if it was encrypted with another key file, or altered. */
static bool decrypt_message(struct arena *arena, const uint8_t *sealed, size_t len, struct mail_item *item)
{
        unsigned long long written = 0;
        uint8_t key[32], *plain = arena_alloc(arena, len + 1);
        bool opened;

        if (len < NONCE_BYTES + TAG_BYTES) {
                return false;
        }
        keys_derive("mail-queue", key);
        opened =
            crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &written, NULL, sealed + NONCE_BYTES, len - NONCE_BYTES,
                                                       (const uint8_t *)item->id, strlen(item->id), sealed, key) == 0;
        sodium_memzero(key, sizeof(key));
        item->to = (const char *)plain;
        size_t to_len = opened ? strnlen(item->to, (size_t)written) : 0;

        item->message = item->to + to_len + 1;
        item->message_len = opened ? (size_t)written - to_len - 1 : 0;
        return opened && to_len < written;
}

/* ---- Into the queue ---- */

/* Case-insensitive: mailboxes that differ only in case are the same nearly everywhere. */
static const uint8_t *hash_recipient(struct arena *arena, const char *to)
{
        uint8_t key[32], *hash = arena_alloc(arena, crypto_auth_hmacsha256_BYTES);
        crypto_auth_hmacsha256_state state;
        char *folded = arena_strdup(arena, to);

        for (char *c = folded; *c != '\0'; c++) {
                *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        }
        keys_derive("mail-recipient", key);
        crypto_auth_hmacsha256_init(&state, key, sizeof(key));
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)folded, strlen(folded));
        crypto_auth_hmacsha256_final(&state, hash);
        sodium_memzero(key, sizeof(key));
        return hash;
}

DB_STATEMENT(INSERT_MAIL, "*", NULL,
             "insert into mail_queue (id, key, owner_id, kind, content, expires_at, created_at,"
             " recipient_hash) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (key) do nothing");

static void wake_sender(void *sender)
{
        mail_sender_wake(sender);
}

static sn_status refuse_template(struct rpc_call *c, const struct buf *error)
{
        return rpc_fail(c, SN_INTERNAL, NULL, "cannot render a mail: %s", error->data);
}

static sn_status compose(struct rpc_call *c, const struct mail *mail, const char *id, struct buf *out)
{
        CLEANUP(buf_free) struct buf error;
        struct mail_rendered content;
        struct mail_message message = {.id = id,
                                       .created_ms = c->now_ms,
                                       .from = mail_options()->from,
                                       .to = mail->to,
                                       .content = &content,
                                       .unsubscribe_url = mail->unsubscribe_url};

        buf_init(&error, 1024);
        if (!mail_address_fits(mail->to)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "email", "must be a deliverable e-mail address");
        }
        if (!mail_render(c->arena, mail->template, mail->language, mail->values, mail->n_values, &content, &error)) {
                return refuse_template(c, &error);
        }
        buf_append(out, mail->to, strlen(mail->to) + 1);
        mail_message_append(out, &message);
        return out->overflow ? rpc_fail(c, SN_INTERNAL, NULL, "a mail is too long") : SN_OK;
}

sn_status mail_enqueue(struct db_tx *tx, const struct mail *mail)
{
        struct rpc_call *c = db_call(tx);
        CLEANUP(buf_free) struct buf plain;
        char *id = uuid_new_in(c->arena);
        int64_t life_ms = mail->life_ms > 0 ? mail->life_ms : MAIL_LIFE_MS;
        size_t len = 0;

        buf_init(&plain, MESSAGE_BYTES_MAX);
        TRY(compose(c, mail, id, &plain));
        void *sealed = encrypt_message(c->arena, id, &plain, &len);

        TRY(db_exec(tx, &INSERT_MAIL,
                    DB_BINDS(bind_uuid(id), bind_text(mail->key != NULL ? mail->key : id), bind_uuid(mail->owner_id),
                             bind_text(mail->template->name), bind_bytes(sealed, len),
                             bind_time_ms(c->now_ms + life_ms), bind_time_ms(c->now_ms),
                             bind_bytes(hash_recipient(c->arena, mail->to), crypto_auth_hmacsha256_BYTES)),
                    NULL));
        if (c->service->mailer != NULL) {
                db_on_commit(tx, wake_sender, c->service->mailer);
        }
        return SN_OK;
}

DB_STATEMENT(COUNT_MAILS, "*", NULL,
             "select count(*) as n, ceil(coalesce($3::bigint - extract(epoch from now() - min(created_at)), 0))::bigint"
             " as wait_s from mail_queue where owner_id = $1 and kind = $2"
             " and created_at > now() - make_interval(secs => $3::bigint)");

sn_status mail_count(struct db_tx *tx, const char *owner_id, const struct mail_template *template, int64_t seconds,
                     int64_t *n, int64_t *wait_s)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_MAILS, DB_BINDS(bind_uuid(owner_id), bind_text(template->name), bind_i64(seconds)),
                    &rows));
        *n = db_i64(rows, 0, "n");
        *wait_s = db_i64(rows, 0, "wait_s");
        return SN_OK;
}

DB_STATEMENT(COUNT_MAILS_TO, "*", NULL,
             "select count(*) as n from mail_queue where recipient_hash = $1 and kind = $2"
             " and created_at > now() - make_interval(secs => $3::bigint)");

sn_status mail_count_to(struct db_tx *tx, const char *to, const struct mail_template *template, int64_t seconds,
                        int64_t *n)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_MAILS_TO,
                    DB_BINDS(bind_bytes(hash_recipient(db_arena(tx), to), crypto_auth_hmacsha256_BYTES),
                             bind_text(template->name), bind_i64(seconds)),
                    &rows));
        *n = db_i64(rows, 0, "n");
        return SN_OK;
}

DB_STATEMENT(LIST_FAILED_MAILS, "*", NULL,
             "select id, kind, owner_id, attempts, error, (extract(epoch from settled_at) * 1000)::bigint as failed_ms"
             " from mail_queue where state = 'failed' order by settled_at desc limit $1");

sn_status mail_list_failed(struct rpc_call *c, size_t limit, struct mail_failure **failures, size_t *n)
{
        struct db_rows *rows = NULL;

        TRY(DB_READ(c, tx, db_rows(tx, &LIST_FAILED_MAILS, DB_BINDS(bind_i64((int64_t)limit)), &rows)));
        *n = db_rows_count(rows);
        *failures = ARENA_ARRAY(c->arena, struct mail_failure, *n);
        for (size_t i = 0; i < *n; i++) {
                (*failures)[i] = (struct mail_failure){.id = db_text(rows, i, "id"),
                                                       .kind = db_text(rows, i, "kind"),
                                                       .owner_id = db_text(rows, i, "owner_id"),
                                                       .error = db_text(rows, i, "error"),
                                                       .attempts = db_i64(rows, i, "attempts"),
                                                       .failed_at_ms = db_i64(rows, i, "failed_ms")};
        }
        return SN_OK;
}

DB_STATEMENT(FORGET_MAILS, "*", NULL, "delete from mail_queue where owner_id = $1");

sn_status mail_forget(struct db_tx *tx, const char *owner_id)
{
        return db_exec(tx, &FORGET_MAILS, DB_BINDS(bind_uuid(owner_id)), NULL);
}

char *mail_recipient_key(struct arena *arena, const char *to)
{
        size_t size = 2 * crypto_auth_hmacsha256_BYTES + 1;

        return sodium_bin2hex(arena_alloc(arena, size), size, hash_recipient(arena, to), crypto_auth_hmacsha256_BYTES);
}

DB_STATEMENT(LIST_BOUNCES, "*", NULL,
             "select id, owner_id, error, encode(coalesce(recipient_hash, ''), 'hex') as recipient from mail_queue"
             " where bounced order by id limit $1");

sn_status mail_list_bounces(struct db_tx *tx, size_t limit, struct mail_bounce **bounces, size_t *n)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &LIST_BOUNCES, DB_BINDS(bind_i64((int64_t)limit)), &rows));
        *n = db_rows_count(rows);
        *bounces = ARENA_ARRAY(db_arena(tx), struct mail_bounce, *n);
        for (size_t i = 0; i < *n; i++) {
                (*bounces)[i] = (struct mail_bounce){.id = db_text(rows, i, "id"),
                                                     .owner_id = db_text(rows, i, "owner_id"),
                                                     .recipient_key = db_text(rows, i, "recipient"),
                                                     .error = db_text(rows, i, "error")};
        }
        return SN_OK;
}

DB_STATEMENT(SETTLE_BOUNCES, "*", NULL, "update mail_queue set bounced = false where id = any($1) and bounced");

sn_status mail_settle_bounces(struct db_tx *tx, const struct mail_bounce *bounces, size_t n)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = (char *)bounces[i].id;
        }
        return db_exec(tx, &SETTLE_BOUNCES, DB_BINDS(bind_uuids(ids, n)), NULL);
}

/* ---- Out of the queue ---- */

DB_STATEMENT(
    CLAIM_MAILS, "*", NULL,
    "with due as (select id from mail_queue where settled_at is null and due_at <= now() and expires_at > now()"
    " order by due_at limit $1 for update skip locked)"
    " update mail_queue q set due_at = now() + make_interval(secs => $2::bigint), attempts = attempts + 1"
    " from due where q.id = due.id returning q.id, q.kind, q.content, q.attempts");

static sn_status read_claimed(struct rpc_call *c, const struct db_rows *rows, struct mail_item *items, size_t *n)
{
        *n = 0;
        for (size_t i = 0; i < db_rows_count(rows); i++) {
                struct mail_item *item = &items[*n];
                size_t len = 0;
                const uint8_t *sealed = db_bytes(rows, i, "content", &len);

                *item = (struct mail_item){.kind = db_text(rows, i, "kind"), .attempts = db_i64(rows, i, "attempts")};
                (void)snprintf(item->id, sizeof(item->id), "%s", db_text(rows, i, "id"));
                if (decrypt_message(c->arena, sealed, len, item)) {
                        (*n)++;
                } else {
                        TRY(mail_queue_failed(c, item, "was encrypted with a different key file", false));
                }
        }
        return SN_OK;
}

sn_status mail_queue_claim(struct rpc_call *c, size_t n, int64_t lease_s, struct mail_item **items, size_t *n_items)
{
        struct db_rows *rows = NULL;

        TRY(DB_WRITE(c, tx, db_rows(tx, &CLAIM_MAILS, DB_BINDS(bind_i64((int64_t)n), bind_i64(lease_s)), &rows)));
        *items = ARENA_ARRAY(c->arena, struct mail_item, db_rows_count(rows) + 1);
        return read_claimed(c, rows, *items, n_items);
}

DB_STATEMENT(NEXT_MAIL, "*", NULL,
             "select (extract(epoch from min(due_at) - clock_timestamp()) * 1000)::bigint as wait_ms from mail_queue"
             " where settled_at is null");

sn_status mail_queue_next(struct rpc_call *c, int64_t *wait_ms)
{
        struct db_rows *rows = NULL;

        TRY(DB_READ(c, tx, db_rows(tx, &NEXT_MAIL, DB_NO_BINDS, &rows)));
        *wait_ms = db_is_null(rows, 0, "wait_ms") ? INT64_MAX : db_i64(rows, 0, "wait_ms");
        *wait_ms = *wait_ms > 0 ? *wait_ms : 0;
        return SN_OK;
}

DB_STATEMENT(EXPIRE_MAILS, "*", NULL,
             "with old as (select id, settled_at from mail_queue where content is not null and expires_at <= now()"
             " and (settled_at is not null or due_at <= now() or attempts = 0) limit 1000 for update skip locked),"
             " gone as (update mail_queue q set content = null, state = 'failed',"
             " settled_at = coalesce(q.settled_at, now()),"
             " error = case when q.settled_at is null then rtrim('too late to be sent; ' || q.error, '; ')"
             " else q.error end from old where q.id = old.id returning q.id)"
             " select count(*) filter (where settled_at is null) as n from gone join old using (id)");

sn_status mail_queue_expire(struct rpc_call *c, int64_t *n_failed)
{
        struct db_rows *rows = NULL;

        TRY(DB_WRITE(c, tx, db_rows(tx, &EXPIRE_MAILS, DB_NO_BINDS, &rows)));
        *n_failed = db_i64(rows, 0, "n");
        return SN_OK;
}

#define IF_STILL_OURS " where id = $1 and attempts = $2 and settled_at is null"

static sn_status settle_item(struct rpc_call *c, const struct db_statement *s, const struct db_bind *binds, size_t n)
{
        return DB_WRITE(c, tx, db_exec(tx, s, binds, n, NULL));
}

DB_STATEMENT(MAIL_SENT_ROW, "*", NULL,
             "update mail_queue set state = 'sent', settled_at = now(), content = null, error = ''" IF_STILL_OURS);

sn_status mail_queue_sent(struct rpc_call *c, const struct mail_item *item)
{
        return settle_item(c, &MAIL_SENT_ROW, DB_BINDS(bind_uuid(item->id), bind_i64(item->attempts)));
}

DB_STATEMENT(MAIL_FAILED_ROW, "*", NULL,
             "update mail_queue set state = 'failed', settled_at = now(), error = $3, bounced = $4" IF_STILL_OURS);

sn_status mail_queue_failed(struct rpc_call *c, const struct mail_item *item, const char *error, bool bounced)
{
        return settle_item(
            c, &MAIL_FAILED_ROW,
            DB_BINDS(bind_uuid(item->id), bind_i64(item->attempts), bind_text(error), bind_bool(bounced)));
}

DB_STATEMENT(
    MAIL_RETRY_ROW, "*", NULL,
    "update mail_queue set due_at = now() + make_interval(secs => $3::bigint / 1000.0), error = $4" IF_STILL_OURS);

sn_status mail_queue_retry(struct rpc_call *c, const struct mail_item *item, int64_t after_ms, const char *error)
{
        return settle_item(
            c, &MAIL_RETRY_ROW,
            DB_BINDS(bind_uuid(item->id), bind_i64(item->attempts), bind_i64(after_ms), bind_text(error)));
}

DB_STATEMENT(
    MAIL_RELEASE_ROW, "*", NULL,
    "update mail_queue set due_at = now() + make_interval(secs => $4::bigint / 1000.0), attempts = attempts - 1,"
    " error = $3" IF_STILL_OURS);

sn_status mail_queue_release(struct rpc_call *c, const struct mail_item *item, int64_t after_ms, const char *error)
{
        return settle_item(
            c, &MAIL_RELEASE_ROW,
            DB_BINDS(bind_uuid(item->id), bind_i64(item->attempts), bind_text(error), bind_i64(after_ms)));
}
