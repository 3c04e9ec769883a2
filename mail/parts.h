/* What the parts of mail/ share: how it is set up, its queue, and the two ways out. Private to mail/. */
#ifndef MAIL_PARTS_H
#define MAIL_PARTS_H

#include <stdatomic.h>
#include "db/db.h"
#include "mail/mail.h"
#include "mail/message.h"

struct mail_options {
        const char *smtp_url, *smtp_ca; /* "" when not set */
        const char *folder;             /* "" without one */
        struct mail_address from;
        const char *pages; /* the address that pages stand below, without a slash at its end */
        bool tls_required;
        int connections;
        int timeout_ms; /* of one mail */
        int domain_rate;
};

/* As mail_setup made it. */
const struct mail_options *mail_options(void);

/* ---- The queue ---- */

struct mail_item {
        char id[UUID_SIZE];
        const char *kind;
        int64_t attempts; /* with this one */
        const char *to;
        const char *message;
        size_t message_len;
};

/* Up to n mails that are due, and nobody else's for lease_s. Those whose content cannot be opened are failed at once,
 * and left out. */
SN_CHECKED sn_status mail_queue_claim(struct rpc_call *c, size_t n, int64_t lease_s, struct mail_item **items,
                                      size_t *n_items);
/* In how many ms the next mail is due: 0 for now, INT64_MAX when none is there. */
SN_CHECKED sn_status mail_queue_next(struct rpc_call *c, int64_t *wait_ms);
/* Wipes what is no more worth sending, 1000 at most; those that waited have failed. */
SN_CHECKED sn_status mail_queue_expire(struct rpc_call *c, int64_t *n_failed);
/* What became of a claimed mail. Nothing when somebody else has claimed it since. */
SN_CHECKED sn_status mail_queue_sent(struct rpc_call *c, const struct mail_item *item);
SN_CHECKED sn_status mail_queue_failed(struct rpc_call *c, const struct mail_item *item, const char *error,
                                       bool bounced);
SN_CHECKED sn_status mail_queue_retry(struct rpc_call *c, const struct mail_item *item, int64_t after_ms,
                                      const char *error);
/* Gives it back untried, to be tried after a time. */
SN_CHECKED sn_status mail_queue_release(struct rpc_call *c, const struct mail_item *item, int64_t after_ms,
                                        const char *error);

/* ---- Sending ---- */

enum mail_outcome {
        MAIL_SENT,
        MAIL_DEFERRED,    /* this mail, not now */
        MAIL_REFUSED,     /* this mail, ever */
        MAIL_UNREACHABLE, /* no mail at all, for now */
        MAIL_PACED,       /* not tried: the domain has had enough for now */
};

struct mail_result {
        enum mail_outcome outcome;
        bool bounced;     /* refused, for what the address is: there is no such mailbox */
        int64_t after_ms; /* paced: when it may be tried */
        char reason[128]; /* without addresses and texts: it is logged */
};

struct mail_smtp;
/* A connection that is kept from mail to mail. stopping: breaks off what is on its way. */
struct mail_smtp *mail_smtp_new(const struct mail_options *options, const atomic_bool *stopping);
void mail_smtp_free(struct mail_smtp *smtp); /* takes NULL */
void mail_smtp_send(struct mail_smtp *smtp, const struct mail_item *item, struct mail_result *result);

/* Removes what was written to the folder more than seven days before now_s, as rows of the queue go. */
void mail_folder_clean(const struct mail_options *options, int64_t now_s);
/* Writes the mail as FOLDER/ID.eml, whole or not at all. */
void mail_folder_write(const struct mail_options *options, const struct mail_item *item, struct mail_result *result);

#endif
