/* The types of notifications. NOTIFICATION_TYPE(NAME, name, setting, by, push, mailed)
 * setting: the setting of user_service that turns it off. NONE: there is none. ALWAYS: it cannot be turned off, since
 *   it concerns the security of the account or whether its owner can be reached; it passes quiet hours, and
 *   user_service mails it, except for MAIL_BOUNCED, which cannot be mailed.
 * by: who does it. ANYBODY: any member, so filters apply. CHOSEN: something that the recipient chose to be notified of.
 *   ACCOUNT: it concerns the recipient's account; the recipient is also its actor.
 * push, mailed: the default delivery by push, and by mail to those who set notifications.email. */
NOTIFICATION_TYPE(LIKE, "like", LIKES, ANYBODY, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(RENOTE, "renote", RENOTES, ANYBODY, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(COMMENT, "comment", COMMENTS, ANYBODY, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(MENTION, "mention", MENTIONS, ANYBODY, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(FOLLOW, "follow", FOLLOWS, ANYBODY, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(FOLLOW_REQUEST, "follow_request", FOLLOWS, ANYBODY, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(NEW_NOTE, "new_note", NONE, CHOSEN, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(SAVED_SEARCH, "saved_search", NONE, CHOSEN, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(MESSAGE, "message", NONE, CHOSEN, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(MESSAGE_REQUEST, "message_request", NONE, ANYBODY, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(NEW_DEVICE, "new_device", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(PASSWORD_CHANGED, "password_changed", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(EMAIL_CHANGE_ASKED, "email_change_asked", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(EMAIL_CHANGED, "email_changed", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(FACTOR_ADDED, "factor_added", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(FACTOR_REMOVED, "factor_removed", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(RECOVERY_CODES_MADE, "recovery_codes_made", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(RECOVERY_CODE_USED, "recovery_code_used", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(REFRESH_TOKEN_REUSED, "refresh_token_reused", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(PASSKEY_CLONED, "passkey_cloned", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(MAIL_BOUNCED, "mail_bounced", ALWAYS, ACCOUNT, IMMEDIATE, OFF)
NOTIFICATION_TYPE(REPORT_RESOLVED, "report_resolved", NONE, ACCOUNT, IMMEDIATE, IMMEDIATE)
