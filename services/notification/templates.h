/* Templates: the texts of notifications outside of this network, by type, channel and language. Those of words.def.h
 * and mails/ apply until an administrator saves others, which apply from the next delivery on.
 *
 * A sentence has one line, or three lines for one, two and more actors. {1} and {2} are names, {n} is the number of
 * other actors. On CHANNEL_EMAIL the types TEMPLATE_SINGLE and TEMPLATE_DIGEST are mails (mail/template.h) that contain
 * the sentences. */
#ifndef SERVICES_NOTIFICATION_TEMPLATES_H
#define SERVICES_NOTIFICATION_TEMPLATES_H

#include "db/db.h"
#include "services/notification/decide.h"
#include "services/notification/notification_rows.rpc.h"

#define TEMPLATE_SINGLE "notification"
#define TEMPLATE_DIGEST "digest"

struct template_text {
        const char *type;
        enum channel channel;
        const char *language;
        int64_t version; /* 0: built in */
        const char *source;
};

/* The newest versions of a channel's templates. An empty source means that the saved template was reverted. */
struct templates {
        NotificationRows__Template **rows;
        size_t n;
};
SN_CHECKED sn_status templates_load(struct db_tx *tx, enum channel channel, const struct templates **out);

/* Chooses by the first subtag of the language, or else English. saved: NULL for built-in templates. */
struct template_text templates_choose(const struct templates *saved, const char *type, enum channel channel,
                                      const char *tag);
/* "like/email/de@3" */
char *template_label(struct arena *arena, const struct template_text *text);
/* Whether a channel has templates of a type. */
bool template_exists(const char *type, enum channel channel);
/* Why there is none of this type on a channel of this name. */
const char *template_missing(struct arena *arena, const char *type, const char *channel);
/* False with a sentence in error if the template does not exist, is too long or uses unknown variables. */
bool template_check(struct arena *arena, const char *type, const char *source, struct buf *error);

/* A template rendered for a sample notification with one or more actors. */
struct template_sample {
        const char *subject, *text, *html; /* set for CHANNEL_EMAIL */
        const char *title;                 /* set for CHANNEL_PUSH and CHANNEL_SMS */
};
SN_CHECKED bool template_preview(struct arena *arena, const struct templates *saved, const struct template_text *text,
                                 int64_t people, struct template_sample *out, struct buf *error);
/* The notification of a sample. */
Notification__Notification template_sample_of(struct arena *arena, const char *type, int64_t people);
/* Queues a mail with the sample, in this transaction. */
SN_CHECKED sn_status template_mail_sample(struct db_tx *tx, const struct templates *saved,
                                          const struct template_text *text, const char *to);

#endif
