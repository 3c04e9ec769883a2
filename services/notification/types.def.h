/* What members are told of. NOTIFICATION_TYPE(NAME, name, setting, filtered, push, mailed): the setting of user_service
 * that turns it off (NONE: there is none; ALWAYS: nothing does, it concerns the security of the account or whether its
 * owner can be reached, passes quiet hours, and is mailed by user_service but for MAIL_BOUNCED, which cannot be),
 * whether members' filters apply (it is somebody else's doing), and how it is delivered by push, and by mail to those
 * who set notifications.email, unless they prefer something else. */
NOTIFICATION_TYPE(LIKE, "like", LIKES, true, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(RENOTE, "renote", RENOTES, true, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(COMMENT, "comment", COMMENTS, true, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(MENTION, "mention", MENTIONS, true, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(FOLLOW, "follow", FOLLOWS, true, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(FOLLOW_REQUEST, "follow_request", FOLLOWS, true, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(NEW_NOTE, "new_note", NONE, false, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(SAVED_SEARCH, "saved_search", NONE, false, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(MESSAGE, "message", NONE, false, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(MESSAGE_REQUEST, "message_request", NONE, true, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(NEW_DEVICE, "new_device", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(PASSWORD_CHANGED, "password_changed", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(EMAIL_CHANGE_ASKED, "email_change_asked", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(EMAIL_CHANGED, "email_changed", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(FACTOR_ADDED, "factor_added", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(FACTOR_REMOVED, "factor_removed", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(RECOVERY_CODES_MADE, "recovery_codes_made", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(RECOVERY_CODE_USED, "recovery_code_used", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(REFRESH_TOKEN_REUSED, "refresh_token_reused", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(PASSKEY_CLONED, "passkey_cloned", ALWAYS, false, IMMEDIATE, OFF)
NOTIFICATION_TYPE(MAIL_BOUNCED, "mail_bounced", ALWAYS, false, IMMEDIATE, OFF)
