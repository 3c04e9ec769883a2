/* Mails of notifications: what they say stands in mails/ and words.def.h. */
#ifndef SERVICES_NOTIFICATION_MAILS_H
#define SERVICES_NOTIFICATION_MAILS_H

#include "base/settings.h"
#include "mail/mail.h"
#include "services/notification/queue.h"

/* {name} {network} {headline} {items} {link} {unsubscribe}, and of digests {count} instead of the headline. */
extern const struct mail_template mail_notification, mail_digest;

/* Where POST ends the mails (RFC 8058): from PUBLIC_URL. Before any thread is started. */
void unsubscribe_setup(const struct settings *settings);
char *unsubscribe_token(struct arena *arena, const char *user_id);
char *unsubscribe_url(struct arena *arena, const char *user_id);

/* A mail of what is delivered, in the transaction that takes it out of the queue. */
SN_CHECKED sn_status mails_write(struct db_tx *tx, const struct outgoing *delivery, const char *to, const char *name);

#endif
