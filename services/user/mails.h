/* The mails of user_service; the texts are in mails/. */
#ifndef SERVICES_USER_MAILS_H
#define SERVICES_USER_MAILS_H

#include "mail/mail.h"

/* Events of which the owner of an account is informed, whoever caused them. OWNER_EVENT(name, template) */
#define OWNER_EVENTS(OWNER_EVENT)                                                                                      \
        OWNER_EVENT(NEW_DEVICE, new_device)                                                                            \
        OWNER_EVENT(PASSWORD_CHANGED, password_changed)                                                                \
        OWNER_EVENT(EMAIL_CHANGE_ASKED, email_change_asked)                                                            \
        OWNER_EVENT(EMAIL_CHANGED, email_changed)                                                                      \
        OWNER_EVENT(FACTOR_ADDED, factor_added)                                                                        \
        OWNER_EVENT(FACTOR_REMOVED, factor_removed)                                                                    \
        OWNER_EVENT(RECOVERY_CODES_MADE, recovery_codes_made)                                                          \
        OWNER_EVENT(RECOVERY_CODE_USED, recovery_code_used)                                                            \
        OWNER_EVENT(REFRESH_TOKEN_REUSED, refresh_token_reused)                                                        \
        OWNER_EVENT(ACCOUNT_DEACTIVATED, account_deactivated)                                                          \
        OWNER_EVENT(PASSKEY_CLONED, passkey_cloned)                                                                    \
        OWNER_EVENT(ACCOUNT_APPROVED, account_approved)

enum owner_event {
#define OWNER_EVENT(name, template) OWNER_##name,
        OWNER_EVENTS(OWNER_EVENT)
#undef OWNER_EVENT
            OWNER_EVENT_COUNT
};

/* Emits an event for other channels, and mails the owner of the account, at the address valid in this transaction:
 * what happened, when, and from where (the call's client). At most 20 mails a day per event, also to an unverified
 * address shared by several accounts. Call it before changing the address to inform the old one, after it for the
 * new one. */
SN_CHECKED sn_status notify_owner(struct db_tx *tx, const char *user_id, enum owner_event event);

extern const struct mail_template mail_verify_email;   /* {name} {network} {code} {link} {minutes} */
extern const struct mail_template mail_reset_password; /* {name} {network} {link} {minutes} */
/* {name} {network} {link}: the address was given for another account. */
extern const struct mail_template mail_address_in_use;
extern const struct mail_template mail_account_declined; /* {name} {network} */
extern const struct mail_template mail_account_created;  /* {name} {network} {link} {hours} */
extern const struct mail_template mail_export_ready;     /* {name} {network} {link} {days} */
extern const struct mail_template mail_invite;           /* {name} (who invites) {network} {link} {days} */
extern const struct mail_template mail_of_owner_event[OWNER_EVENT_COUNT];

/* The recipient of a mail. */
struct mail_recipient {
        const char *email, *username, *language;
};
/* SN_NOT_FOUND if the member does not exist. */
SN_CHECKED sn_status mail_recipient_of(struct db_tx *tx, const char *user_id, struct mail_recipient *out);

#endif
