/* The columns of a profile, as sonet.user.v1.User has them: for every statement that reads one. */
#ifndef SERVICES_USER_USER_COLUMNS_H
#define SERVICES_USER_USER_COLUMNS_H

#define USER_IS_PRIVATE(u)                                                                                             \
        "exists (select from user_settings where user_id = " u ".id and key = 'privacy.private' and value = 'true')"

/* Whether others see the account at all; an author who is not there hides what they wrote. */
#define USER_IS_SHOWN(u) u ".suspended_at is null and " u ".deactivated_at is null and " u ".waiting_since is null"

/* Paths, of which picture_address makes addresses. */
#define USER_AVATAR(u) "coalesce('/media/' || " u ".avatar_id || '/thumb', '')"
#define USER_HEADER(u) "coalesce('/media/' || " u ".header_id || '/large', '')"

/* Of users u and user_stats s (USER_TABLES). p: where they land in the row, "user." for a message inside it. */
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
