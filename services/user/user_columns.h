/* The columns of a profile (sonet.user.v1.User), for all statements that read one. */
#ifndef SERVICES_USER_USER_COLUMNS_H
#define SERVICES_USER_USER_COLUMNS_H

#define USER_IS_PRIVATE(u)                                                                                             \
        "exists (select from user_settings where user_id = " u ".id and key = 'privacy.private' and value = 'true')"

/* Whether others see the account at all; a hidden author's notes are hidden, too. */
#define USER_IS_SHOWN(u) u ".suspended_at is null and " u ".deactivated_at is null and " u ".waiting_since is null"

/* Paths, which picture_address converts to URLs. */
#define USER_AVATAR(u) "coalesce('/media/' || " u ".avatar_id || '/thumb', '')"
#define USER_HEADER(u) "coalesce('/media/' || " u ".header_id || '/large', '')"

/* For users u and user_stats s (USER_TABLES). p: prefix of the result columns, "user." for a message in the row. */
#define USER_COLUMNS(p)                                                                                                \
        "u.id as \"" p "id\", u.username as \"" p "username\", u.display_name as \"" p "display_name\", u.bio as \"" p \
        "bio\", u.created_at as \"" p "created_at\", u.email as \"" p                                                  \
        "email\", " USER_AVATAR("u") " as \"" p                                                                        \
                                     "avatar_url\", " USER_HEADER("u") " as \"" p "header_url\", " USER_IS_PRIVATE(    \
                                         "u") " as \"" p "private\", coalesce(s.notes, 0) as \"" p                     \
                                              "counts.notes\", coalesce(s.followers, 0) as \"" p                       \
                                              "counts.followers\", coalesce(s.following, 0) as \"" p                   \
                                              "counts.following\""
#define USER_TABLES " from users u left join user_stats s on s.user_id = u.id"

#endif
