/* What members are told of. NOTIFICATION_TYPE(NAME, name, setting, filtered, push, mailed): the setting of user_service
 * that turns it off (NONE: there is none), whether members' filters apply (it is somebody else's doing), and how it is
 * delivered by push, and by mail to those who set notifications.email, unless they prefer something else. */
NOTIFICATION_TYPE(LIKE, "like", LIKES, true, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(RENOTE, "renote", RENOTES, true, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(COMMENT, "comment", COMMENTS, true, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(MENTION, "mention", MENTIONS, true, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(FOLLOW, "follow", FOLLOWS, true, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(FOLLOW_REQUEST, "follow_request", FOLLOWS, true, IMMEDIATE, IMMEDIATE)
NOTIFICATION_TYPE(NEW_NOTE, "new_note", NONE, false, IMMEDIATE, DAILY)
NOTIFICATION_TYPE(SAVED_SEARCH, "saved_search", NONE, false, IMMEDIATE, DAILY)
