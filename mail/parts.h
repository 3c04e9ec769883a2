/* Shared by the parts of mail/: configuration, the queue, and the two transports. Private to mail/. */
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
        const char *pages; /* base URL of pages, without a trailing slash */
        bool tls_required;
        int connections;
        int timeout_ms; /* for one mail */
        int domain_rate;
};

/* The options as mail_setup read them. */
const struct mail_options *mail_options(void);

/* ---- The queue ---- */

struct mail_item {
        char id[UUID_SIZE];
        const char *kind;
        int64_t attempts; /* including this one */
        const char *to;
        const char *message;
        size_t message_len;
};

/* Leases up to n due mails for lease_s. Those that cannot be decrypted are marked as failed, and left out. */
SN_CHECKED sn_status mail_queue_claim(struct rpc_call *c, size_t n, int64_t lease_s, struct mail_item **items,
                                      size_t *n_items);
/* In how many ms the next mail is due: 0 for now, INT64_MAX if there is none. */
SN_CHECKED sn_status mail_queue_next(struct rpc_call *c, int64_t *wait_ms);
/* Wipes expired mails, 1000 at most; those still waiting have failed. */
SN_CHECKED sn_status mail_queue_expire(struct rpc_call *c, int64_t *n_failed);
/* Records the result for a claimed mail. Does nothing if another process has claimed it since. */
SN_CHECKED sn_status mail_queue_sent(struct rpc_call *c, const struct mail_item *item);
SN_CHECKED sn_status mail_queue_failed(struct rpc_call *c, const struct mail_item *item, const char *error,
                                       bool bounced);
SN_CHECKED sn_status mail_queue_retry(struct rpc_call *c, const struct mail_item *item, int64_t after_ms,
                                      const char *error);
/* Returns it without an attempt, to be tried after a time. */
SN_CHECKED sn_status mail_queue_release(struct rpc_call *c, const struct mail_item *item, int64_t after_ms,
                                        const char *error);

/* ---- Sending ---- */

enum mail_outcome {
        MAIL_SENT,
        MAIL_DEFERRED,    /* this mail failed temporarily */
        MAIL_REFUSED,     /* this mail failed permanently */
        MAIL_UNREACHABLE, /* no mail can be sent at present */
        MAIL_PACED,       /* not tried: the domain's rate limit is used up */
};

struct mail_result {
        enum mail_outcome outcome;
        bool bounced;     /* rejected because the mailbox does not exist */
        int64_t after_ms; /* paced: when it may be sent */
        char reason[128]; /* without addresses and texts, as it is logged */
};

struct mail_smtp;
/* A connection kept between mails. stopping: aborts what is being sent. */
struct mail_smtp *mail_smtp_new(const struct mail_options *options, const atomic_bool *stopping);
void mail_smtp_free(struct mail_smtp *smtp); /* takes NULL */
void mail_smtp_send(struct mail_smtp *smtp, const struct mail_item *item, struct mail_result *result);

/* Removes files older than seven days before now_s from the folder, like rows of the queue. */
void mail_folder_clean(const struct mail_options *options, int64_t now_s);
/* Writes the mail as FOLDER/ID.eml, atomically. */
void mail_folder_write(const struct mail_options *options, const struct mail_item *item, struct mail_result *result);

#endif
