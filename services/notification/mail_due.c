/* Mails due deliveries: moves them from the queue of notifications to the queue of mails in one transaction, so that
 * even after a crash none is lost or mailed twice. */
#include "services/notification/notification.h"

#include <string.h>
#include "base/fault.h"
#include "services/notification/effects.h"
#include "services/notification/mails.h"
#include "services/notification/queue.h"
#include "services/notification/store.h"
#include "services/user/user.rpc.h"

enum { EVERY_S = 10, AT_ONCE = 50, LEASE_MS = 60000 };

static const User__MailRecipient *find_recipient(const User__MailRecipients *recipients, const char *id)
{
        for (size_t i = 0; i < recipients->n_items; i++) {
                if (strcmp(recipients->items[i]->id, id) == 0) {
                        return recipients->items[i];
                }
        }
        return NULL;
}

static sn_status load_recipients(struct rpc_call *c, const struct outgoing *deliveries, size_t n,
                                 User__MailRecipients *out)
{
        User__BatchGetMailRecipientsRequest in = USER__BATCH_GET_MAIL_RECIPIENTS_REQUEST__INIT;

        in.ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                in.ids[in.n_ids++] = (char *)deliveries[i].user_id;
        }
        return user_batch_get_mail_recipients(c, &in, out);
}

struct suppressed {
        NotificationRows__Suppressed **rows;
        size_t n;
};

static bool is_suppressed(struct arena *arena, const struct suppressed *s, const User__MailRecipient *to)
{
        for (size_t i = 0; i < s->n; i++) {
                if (strcmp(s->rows[i]->user_id, to->id) == 0) {
                        return strcmp(s->rows[i]->recipient, mail_recipient_key(arena, to->email)) == 0;
                }
        }
        return false;
}

/* Skips members without a verified address, and addresses that bounce. */
static sn_status write_one(struct db_tx *tx, const struct outgoing *d, const struct suppressed *suppressed,
                           const User__MailRecipient *to, bool *sent)
{
        bool gone = to != NULL && is_suppressed(db_arena(tx), suppressed, to);
        struct delivery_log *logs = ARENA_ARRAY(db_arena(tx), struct delivery_log, d->n_shown);

        *sent = to != NULL && !gone;
        if (*sent) {
                TRY(mails_write(tx, d, to->email, to->username));
        }
        for (size_t i = 0; i < d->n_shown; i++) {
                logs[i] = (struct delivery_log){.notification_id = d->shown[i]->id,
                                                .user_id = d->user_id,
                                                .channel = CHANNEL_EMAIL,
                                                .provider = "mail",
                                                .templates = mails_labels(db_arena(tx), d, d->shown[i]),
                                                .outcome = gone         ? "gone"
                                                           : to != NULL ? "sent"
                                                                        : "refused",
                                                .notifications = (int64_t)d->n_shown,
                                                .hold = queue_hold_of(d, d->shown[i]->id)};
        }
        return store_log_deliveries(tx, logs, d->n_shown);
}

static sn_status write_all(struct db_tx *tx, const struct outgoing *deliveries, size_t n,
                           const User__MailRecipients *recipients)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);
        const struct outgoing **done = ARENA_ARRAY(db_arena(tx), const struct outgoing *, n);
        struct suppressed suppressed = {.n = 0};
        size_t n_sent = 0;

        for (size_t i = 0; i < n; i++) {
                ids[i] = (char *)deliveries[i].user_id;
                done[i] = &deliveries[i];
        }
        TRY(queue_done(tx, done, n));
        TRY(store_suppressed(tx, ids, n, &suppressed.n, &suppressed.rows));
        for (size_t i = 0; i < n; i++) {
                bool sent = false;

                TRY(write_one(tx, &deliveries[i], &suppressed, find_recipient(recipients, deliveries[i].user_id),
                              &sent));
                done[n_sent] = &deliveries[i];
                n_sent += sent;
        }
        return effects_sent(tx, CHANNEL_EMAIL, done, n_sent);
}

static sn_status mail_some(struct rpc_call *c, bool *more)
{
        User__MailRecipients recipients = USER__MAIL_RECIPIENTS__INIT;
        struct outgoing *deliveries = NULL;
        int64_t wait_ms = 0;
        size_t n = 0;

        TRY(queue_next(c, CHANNEL_EMAIL, &wait_ms));
        *more = wait_ms == 0;
        if (wait_ms > 0) {
                return SN_OK;
        }
        TRY(queue_claim(c, CHANNEL_EMAIL, AT_ONCE, LEASE_MS, &deliveries, &n));
        if (n == 0) {
                return SN_OK;
        }
        fault_point("mail_claimed");
        TRY(load_recipients(c, deliveries, n, &recipients));
        TRY(DB_WRITE(c, tx, write_all(tx, deliveries, n, &recipients)));
        fault_point("mail_queued");
        return SN_OK;
}

const struct service_job notification_mail_due = {.name = "mail_notifications", .every_s = EVERY_S, .run = mail_some};
