/* Notification mails. Their texts are in mails/ and words.def.h. */
#ifndef SERVICES_NOTIFICATION_MAILS_H
#define SERVICES_NOTIFICATION_MAILS_H

#include "base/settings.h"
#include "mail/mail.h"
#include "services/notification/queue.h"
#include "services/notification/templates.h"

/* The built-in templates.  {name} {network} {headline} {items} {link} {unsubscribe}, and in digests {count} instead of
 * {headline}. */
extern const struct mail_template mail_notification, mail_digest;

/* Sets the URL for one-click unsubscription (RFC 8058) from PUBLIC_URL. Call it before starting threads. */
void unsubscribe_setup(const struct settings *settings);
char *unsubscribe_token(struct arena *arena, const char *user_id);
char *unsubscribe_url(struct arena *arena, const char *user_id);

/* The built-in source of TEMPLATE_SINGLE or TEMPLATE_DIGEST in a two-letter language; NULL if there is none. */
const char *mails_source(const char *type, const char *language);
/* Validates the source of a mail of this type. False with a sentence in error. */
bool mails_check(struct arena *arena, const char *type, const char *source, struct buf *error);
/* Renders a sample, as a mail with two notifications would look. mails_send_sample queues it. */
SN_CHECKED bool mails_render_sample(struct arena *arena, const struct template_text *text, const char *headline,
                                    struct mail_rendered *out, struct buf *error);
SN_CHECKED sn_status mails_write_sample(struct db_tx *tx, const struct template_text *text, const char *headline,
                                        const char *to);

/* The labels of the templates used for a notification in a delivery: the mail's and the sentence's. */
char *mails_labels(struct arena *arena, const struct outgoing *delivery, const Notification__Notification *n);
/* Queues a mail for a delivery, in the transaction that removes it from the queue of notifications. */
SN_CHECKED sn_status mails_write(struct db_tx *tx, const struct outgoing *delivery, const char *to, const char *name);

#endif
