/* Mail: what a service writes to people. A mail is written into the queue in the transaction that causes it, and a lane
 * of its own sends it later: nothing that a mail server does holds up a request, and a mail is there exactly when its
 * cause is.
 *
 *   TRY(mail_enqueue(tx, &(struct mail){.template = &verify_email, .to = email, .language = "de", .owner_id = id,
 *                                       MAIL_VALUES(mail_text("name", username), mail_link("link", url))}));
 *
 * What holds: a mail whose transaction commits is tried until the server took it, refused it for good, or it expires. A
 * key is mailed once. Should the process or the connection end between the server's taking a mail and our noting it,
 * the mail is sent again with the same Message-ID: SMTP has nothing better to offer (RFC 1047). */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H

#include <stddef.h>
#include "base/service.h"
#include "base/settings.h"
#include "db/db.h"
#include "mail/template.h"

#define MAIL_LIFE_MS INT64_C(432000000) /* five days: what RFC 5321, 4.5.4.1 asks a sender to try for */

struct mail {
        const struct mail_template *template;
        const char *to;              /* one address, in ASCII */
        const char *language;        /* BCP 47, "de-AT"; what there is no template in is written in English */
        const char *owner_id;        /* the member whom it is for */
        const char *key;             /* of the event that causes it, unique in the service; NULL: this very call */
        int64_t life_ms;             /* for so long it is worth sending: that of its codes and links; 0: MAIL_LIFE_MS */
        const char *unsubscribe_url; /* takes one POST (RFC 8058); NULL: no such header */
        const struct mail_value *values;
        size_t n_values;
};
#define MAIL_VALUES(...)                                                                                               \
        .values = (const struct mail_value[]){__VA_ARGS__},                                                            \
        .n_values = sizeof((const struct mail_value[]){__VA_ARGS__}) / sizeof(struct mail_value)

/* Writes the mail in this transaction. A key that is there already is no error and adds nothing. SN_INVALID_ARGUMENT:
 * the address cannot be written to. */
SN_CHECKED sn_status mail_enqueue(struct db_tx *tx, const struct mail *mail);
/* How many mails of a template a member was written in the last seconds, and in how many seconds the oldest of them is
 * older than that: for limits. */
SN_CHECKED sn_status mail_count(struct db_tx *tx, const char *owner_id, const struct mail_template *template,
                                int64_t seconds, int64_t *n, int64_t *wait_s);
/* How many mails of a template any members caused to be written to an address in the last seconds. */
SN_CHECKED sn_status mail_count_to(struct db_tx *tx, const char *to, const struct mail_template *template,
                                   int64_t seconds, int64_t *n);

/* A mail that was not sent, and why: never what it says or to whom. */
struct mail_failure {
        const char *id, *kind, *owner_id, *error;
        int64_t attempts, failed_at_ms;
};
/* Those of the last seven days, the newest first. */
SN_CHECKED sn_status mail_list_failed(struct rpc_call *c, size_t limit, struct mail_failure **failures, size_t *n);

/* Stands for an address, without case: a MAC under a key from outside of the database, as hex. */
char *mail_recipient_key(struct arena *arena, const char *to);
/* A mail that the mail server refused for good because of its recipient: any 5xx to RCPT, but 5.7.x, which is about us.
 * Of a message that it refused nothing follows for the address. */
struct mail_bounce {
        const char *id, *owner_id, *recipient_key, *error;
};
/* Those of this service that were not settled yet. */
SN_CHECKED sn_status mail_list_bounces(struct db_tx *tx, size_t limit, struct mail_bounce **bounces, size_t *n);
/* In the transaction that draws the conclusions. */
SN_CHECKED sn_status mail_settle_bounces(struct db_tx *tx, const struct mail_bounce *bounces, size_t n);

/* Deletes all mails of a member, sent or not: when the member is erased. */
SN_CHECKED sn_status mail_forget(struct db_tx *tx, const char *owner_id);

/* Reads SMTP_URL, MAIL_FROM and the others; before any thread is started. SN_INVALID_ARGUMENT with a sentence. */
SN_CHECKED sn_status mail_setup(const struct settings *settings, struct buf *error);
/* The name of this network for its members: that of MAIL_FROM. */
const char *mail_network(void);
/* A page of this network for a link in a mail, from PUBLIC_URL and never from a request, whose sender would choose it.
 */
char *mail_page(struct arena *arena, const char *path);

/* Sends what the service's queue holds, on MAIL_CONNECTIONS threads. Many processes may: each mail is leased. */
struct mail_sender *mail_sender_new(struct service *service);
/* Breaks off what is on its way, which is sent again later. Takes NULL. */
void mail_sender_free(struct mail_sender *sender);
void mail_sender_wake(struct mail_sender *sender);

#endif
