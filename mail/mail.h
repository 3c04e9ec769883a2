/* Mail to people. A mail is added to the queue in the transaction that causes it, and a lane of its own sends it later:
 * a slow mail server never delays a request, and a mail exists if and only if its cause was committed.
 *
 *   TRY(mail_enqueue(tx, &(struct mail){.template = &verify_email, .to = email, .language = "de", .owner_id = id,
 *                                       MAIL_VALUES(mail_text("name", username), mail_link("link", url))}));
 *
 * Guarantees: a mail whose transaction commits is retried until the server accepts it, rejects it permanently, or it
 * expires. A key is mailed once. If the process or the connection ends after the server has accepted a mail and before
 * that is recorded, the mail is sent again with the same Message-ID: SMTP cannot rule that out (RFC 1047). */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H

#include <stddef.h>
#include "base/service.h"
#include "base/settings.h"
#include "db/db.h"
#include "mail/template.h"

#define MAIL_LIFE_MS INT64_C(432000000) /* five days: how long RFC 5321, 4.5.4.1 requires a sender to retry */

struct mail {
        const struct mail_template *template;
        const char *to;              /* one address, in ASCII */
        const char *language;        /* BCP 47, "de-AT"; English if there is no template in it */
        const char *owner_id;        /* the member whom it concerns */
        const char *key;             /* of the event that causes it, unique in the service; NULL: this call */
        int64_t life_ms;             /* how long it is worth sending, like its codes and links; 0: MAIL_LIFE_MS */
        const char *unsubscribe_url; /* accepts one POST (RFC 8058); NULL: no such header */
        const struct mail_value *values;
        size_t n_values;
};
#define MAIL_VALUES(...)                                                                                               \
        .values = (const struct mail_value[]){__VA_ARGS__},                                                            \
        .n_values = sizeof((const struct mail_value[]){__VA_ARGS__}) / sizeof(struct mail_value)

/* Adds the mail in this transaction. An existing key is not an error, and adds nothing. SN_INVALID_ARGUMENT: the
 * address is invalid. */
SN_CHECKED sn_status mail_enqueue(struct db_tx *tx, const struct mail *mail);
/* How many mails of a template a member was sent in the last seconds, and in how many seconds the oldest of them
 * leaves that window: for limits. */
SN_CHECKED sn_status mail_count(struct db_tx *tx, const char *owner_id, const struct mail_template *template,
                                int64_t seconds, int64_t *n, int64_t *wait_s);
/* How many mails of a template all members together caused to an address in the last seconds. */
SN_CHECKED sn_status mail_count_to(struct db_tx *tx, const char *to, const struct mail_template *template,
                                   int64_t seconds, int64_t *n);

/* A mail that could not be sent, and why; without its text and recipient. */
struct mail_failure {
        const char *id, *kind, *owner_id, *error;
        int64_t attempts, failed_at_ms;
};
/* Those of the last seven days, newest first. */
SN_CHECKED sn_status mail_list_failed(struct rpc_call *c, size_t limit, struct mail_failure **failures, size_t *n);

/* An identifier of an address, ignoring case: a MAC with a key from outside the database, in hex. */
char *mail_recipient_key(struct arena *arena, const char *to);
/* A mail that the server rejected permanently because of its recipient: any 5xx to RCPT except 5.7.x, which is about
 * us. A rejected message says nothing about the address. */
struct mail_bounce {
        const char *id, *owner_id, *recipient_key, *error;
};
/* Unprocessed ones of this service. */
SN_CHECKED sn_status mail_list_bounces(struct db_tx *tx, size_t limit, struct mail_bounce **bounces, size_t *n);
/* In the transaction that handles them. */
SN_CHECKED sn_status mail_settle_bounces(struct db_tx *tx, const struct mail_bounce *bounces, size_t n);

/* Deletes all mails of a member, sent or not, when the member is erased. */
SN_CHECKED sn_status mail_forget(struct db_tx *tx, const char *owner_id);

/* Reads SMTP_URL, MAIL_FROM and the others; call it before starting threads. SN_INVALID_ARGUMENT with a sentence in
 * error. */
SN_CHECKED sn_status mail_setup(const struct settings *settings, struct buf *error);
/* The network's name in mails: that of MAIL_FROM. */
const char *mail_network(void);
/* The URL of a page of this network for links in mails, from PUBLIC_URL and never from a request, whose sender could
 * choose it. */
char *mail_page(struct arena *arena, const char *path);

/* Sends the service's queue, on MAIL_CONNECTIONS threads. Several processes may do so: each mail is leased. */
struct mail_sender *mail_sender_new(struct service *service);
/* Aborts what is being sent, which is sent again later. Takes NULL. */
void mail_sender_free(struct mail_sender *sender);
void mail_sender_wake(struct mail_sender *sender);

#endif
