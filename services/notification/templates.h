/* Templates: what notifications say outside of this network, by type, channel and language. What stands in words.def.h
 * and mails/ holds until an administrator saves something else, from the next delivery on.
 *
 * A sentence is of one line, or of three: of one member, of two, and of more. {1} and {2} are their names, {n} is how
 * many others there are. On CHANNEL_EMAIL the types TEMPLATE_SINGLE and TEMPLATE_DIGEST are mails (mail/template.h) in
 * which the sentences stand. */
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
        int64_t version; /* 0: the program's own */
        const char *source;
};

/* The newest versions of a channel's templates; a source of '' was taken back. */
struct templates {
        NotificationRows__Template **rows;
        size_t n;
};
SN_CHECKED sn_status templates_load(struct db_tx *tx, enum channel channel, const struct templates **out);

/* In the language of a tag, by its first part, or else in English. saved: NULL for the program's own. */
struct template_text templates_choose(const struct templates *saved, const char *type, enum channel channel,
                                      const char *tag);
/* "like/email/de@3" */
char *template_label(struct arena *arena, const struct template_text *text);
/* Whether there are templates of a type on a channel. */
bool template_exists(const char *type, enum channel channel);
/* False with a sentence in error: it has variables that there are not, is too long, or no such template at all. */
bool template_check(struct arena *arena, const char *type, const char *source, struct buf *error);

/* What a template says of a sample, of as many people (1 or more). */
struct template_sample {
        const char *subject, *text, *html; /* on CHANNEL_EMAIL */
        const char *title;                 /* on CHANNEL_PUSH and CHANNEL_SMS */
};
SN_CHECKED bool template_preview(struct arena *arena, const struct templates *saved, const struct template_text *text,
                                 int64_t people, struct template_sample *out, struct buf *error);
/* The notification of which a sample tells. */
Notification__Notification template_sample_of(struct arena *arena, const char *type, int64_t people);
/* Has the sample mailed: in this transaction. */
SN_CHECKED sn_status template_mail_sample(struct db_tx *tx, const struct templates *saved,
                                          const struct template_text *text, const char *to);

#endif
