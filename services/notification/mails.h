/* Mails of notifications: what they say stands in mails/ and words.def.h. */
#ifndef SERVICES_NOTIFICATION_MAILS_H
#define SERVICES_NOTIFICATION_MAILS_H

#include "base/settings.h"
#include "mail/mail.h"
#include "services/notification/queue.h"
#include "services/notification/templates.h"

/* What the program says by itself.  {name} {network} {headline} {items} {link} {unsubscribe}, and of digests {count}
 * instead of the headline. */
extern const struct mail_template mail_notification, mail_digest;

/* Where POST ends the mails (RFC 8058): from PUBLIC_URL. Before any thread is started. */
void unsubscribe_setup(const struct settings *settings);
char *unsubscribe_token(struct arena *arena, const char *user_id);
char *unsubscribe_url(struct arena *arena, const char *user_id);

/* Of TEMPLATE_SINGLE or TEMPLATE_DIGEST in a language of two letters, as the program has it; NULL: there is none. */
const char *mails_source(const char *type, const char *language);
/* False with a sentence in error: it cannot be a mail of this type. */
bool mails_check(struct arena *arena, const char *type, const char *source, struct buf *error);
/* As a mail of two notifications would look, and into the queue of mails. */
SN_CHECKED bool mails_render_sample(struct arena *arena, const struct template_text *text, const char *headline,
                                    struct mail_rendered *out, struct buf *error);
SN_CHECKED sn_status mails_write_sample(struct db_tx *tx, const struct template_text *text, const char *headline,
                                        const char *to);

/* Which templates say a notification of a delivery: that of the mail, and that of the sentence. */
char *mails_labels(struct arena *arena, const struct outgoing *delivery, const Notification__Notification *n);
/* A mail of what is delivered, in the transaction that takes it out of the queue. */
SN_CHECKED sn_status mails_write(struct db_tx *tx, const struct outgoing *delivery, const char *to, const char *name);

#endif
