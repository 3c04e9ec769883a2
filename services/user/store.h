/* The SQL of user_service. All take an open transaction or read. */
#ifndef SERVICES_USER_STORE_H
#define SERVICES_USER_STORE_H

#include "db/db.h"
#include "services/page.h"
#include "services/user/login_name.h"
#include "services/user/session.h"
#include "services/user/user.rpc.h"
#include "services/user/user_logins.rpc.h"
#include "services/user/user_rows.rpc.h"

struct new_user {
        const char *id, *username, *username_key, *email, *email_key, *password_hash, *display_name;
        const char *join_reason; /* for those who approve */
        bool waits;              /* for approval */
};

/* Makes addresses of the paths that its row has. */
void store_complete_user(struct db_tx *tx, User__User *user);

/* SN_ALREADY_EXISTS (username_taken) on field username. */
SN_CHECKED sn_status store_insert_user(struct db_tx *tx, const struct new_user *user);
/* Until the transaction ends, nobody else takes the name: no index spans names and former names. */
SN_CHECKED sn_status store_lock_username(struct db_tx *tx, const char *username_key);
/* A former name is free for who had it (user_id; "": nobody). */
SN_CHECKED sn_status store_check_username_free(struct db_tx *tx, const char *username_key, const char *user_id);
/* SN_ALREADY_EXISTS (username_taken), said. */
sn_status store_username_taken(struct rpc_call *c);
/* With the e-mail address, and whether the account is deactivated or not: for the member themselves. SN_NOT_FOUND. */
SN_CHECKED sn_status store_user(struct db_tx *tx, const char *id, User__User *out);
/* For others, who do not find deactivated ones. */
SN_CHECKED sn_status store_shown_user(struct db_tx *tx, const char *id, User__User *out);
SN_CHECKED sn_status store_shown_user_by_name(struct db_tx *tx, const char *username_key, User__User *out);
/* NULL leaves a field. */
SN_CHECKED sn_status store_update_profile(struct db_tx *tx, const char *id, const char *display_name, const char *bio);
/* What a search finds the member by: these keys and the username, nothing else any more; nothing at all when they are
 * not discoverable. */
SN_CHECKED sn_status store_set_names(struct db_tx *tx, const char *user_id, char **keys, size_t n);
/* The first of the member's keys that start so, "" when none does. */
SN_CHECKED sn_status store_name_key(struct db_tx *tx, const char *start, const char *user_id, char **key);
struct name_position {
        const char *key, *user_id; /* "" for the start; user_id "": before all who are found by the key */
};
/* Members with a key that starts so, each by the first of those; in order of key and id, after a position. */
SN_CHECKED sn_status store_find_users(struct db_tx *tx, const char *start, const struct name_position *after,
                                      size_t limit, size_t *n, UserRows__FoundUser ***users);
/* In no order; unknown ones are missing. */
SN_CHECKED sn_status store_authors(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, User__Author ***rows);
/* In the order of the keys. */
SN_CHECKED sn_status store_authors_by_name(struct db_tx *tx, char **keys, size_t n, size_t *n_rows,
                                           User__Author ***rows);

/* *done is false when it was so already. */
SN_CHECKED sn_status store_deactivate(struct db_tx *tx, const char *user_id, bool *done);
SN_CHECKED sn_status store_reactivate(struct db_tx *tx, const char *user_id, bool *done);
/* Locks the account that was deactivated first, at least so many days ago, or one that waited a month for approval; *id
 * is "" when there is none. */
SN_CHECKED sn_status store_lock_expired(struct db_tx *tx, int64_t grace_days, const char **id);
/* All of a member in this database, the audit log's entries among it. */
SN_CHECKED sn_status store_erase(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_indexed(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, User__IndexedUser ***rows);
SN_CHECKED sn_status store_indexed_after(struct db_tx *tx, const char *after_id, size_t limit, size_t *n_rows,
                                         User__IndexedUser ***rows);
SN_CHECKED sn_status store_privacy(struct db_tx *tx, const char *user_id, User__Privacy *out, bool *found);
/* Of these members those who let themselves be counted. */
SN_CHECKED sn_status store_countable(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, char ***countable);
SN_CHECKED sn_status store_raise_privacy_version(struct db_tx *tx, const char *user_id, int64_t *version);

/* By username or e-mail key. */
SN_CHECKED sn_status store_credentials(struct db_tx *tx, const char *key, UserRows__Credentials *out, bool *found);

/* By the member's id. */
SN_CHECKED sn_status store_credentials_of(struct db_tx *tx, const char *user_id, UserRows__Credentials *out,
                                          bool *found);

/* One try to log in, as its history keeps it beside the call's address and user agent. */
struct login_try {
        uint8_t hash[LOGIN_HASH_BYTES]; /* of the name */
        const char *network;
        char device[UUID_SIZE];  /* that the member is known to use; "" when it is not known */
        const char *factor;      /* what is tried: "password+code"; NULL: "password" */
        const char *reason;      /* why it failed; NULL: "wrong_password" */
        const char *device_name; /* of the session that begins; NULL: none */
        bool first;              /* the account was just made: its owner need not be told of the device */
};
/* Of a member, beyond the scan's position. */
SN_CHECKED sn_status store_logins(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                                  UserLogins__LogInEntry ***items);
SN_CHECKED sn_status store_login_failures(struct db_tx *tx, const struct login_try *try, UserRows__LoginFailures *out);
/* user_id "": there is no account with this name. */
SN_CHECKED sn_status store_insert_login(struct db_tx *tx, const struct login_try *try, const char *user_id,
                                        bool succeeded);

/* The member's role and epoch into the session. Until the transaction ends neither changes: a log-in and a change of
 * what the member may do come one after the other. SN_NOT_FOUND; SN_UNAUTHENTICATED
 * (account_suspended, account_waiting). */
SN_CHECKED sn_status store_lock_rights(struct db_tx *tx, const char *user_id, struct session *session);
SN_CHECKED sn_status store_insert_session(struct db_tx *tx, const struct session *session, const char *user_id,
                                          const struct login_try *try);
/* Locks the session's row. *found is false when there is none. */
SN_CHECKED sn_status store_refresh_state(struct db_tx *tx, const char *session_id, UserRows__RefreshState *out,
                                         bool *found);
/* answer: the sealed access token, for the client that asks again; NULL: none. */
SN_CHECKED sn_status store_rotate(struct db_tx *tx, const char *session_id, const uint8_t *answer, size_t len);
/* Of the call's session and its member. SN_UNAUTHENTICATED (token_revoked) when it has ended. */
SN_CHECKED sn_status store_step_up_state(struct db_tx *tx, UserRows__StepUpState *out);
/* The same session's member has just proved who they are. */
SN_CHECKED sn_status store_step_up(struct db_tx *tx);
/* Keeps the call's session from ending before the transaction does, and the member's row from other changes: for
 * changes of what protects an account, which a new password must not meet half-way. SN_UNAUTHENTICATED (token_revoked)
 * when it has ended. Locks are taken in this order, so that no
 * two transactions wait for each other: the member's factors (factors_lock), the row of the member, all else that is
 * theirs. */
SN_CHECKED sn_status store_lock_running(struct db_tx *tx);
/* The member's row alone, before what is theirs is changed: nobody else changes it, and nobody logs in, until the
 * transaction ends. */
SN_CHECKED sn_status store_lock_member(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_end_session(struct db_tx *tx, const char *session_id, const char *user_id, bool *ended);
/* Ids of the running ones but keep ("": none), from the newest on, without the first skip of them. */
SN_CHECKED sn_status store_running_sessions(struct db_tx *tx, const char *user_id, const char *keep, size_t skip,
                                            size_t *n, char ***ids);
SN_CHECKED sn_status store_raise_epoch(struct db_tx *tx, const char *user_id, int64_t *epoch);
/* id and epoch of each. */
SN_CHECKED sn_status store_epochs_raised_lately(struct db_tx *tx, int64_t seconds, struct db_rows **rows);
/* Running ones, beyond the scan's position. */
SN_CHECKED sn_status store_sessions(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                                    User__Session ***sessions);
/* Those that ended in the last seconds, in order of id, after after_id ("": from the first). */
SN_CHECKED sn_status store_ended_lately(struct db_tx *tx, int64_t seconds, const char *after_id, size_t limit,
                                        size_t *n, UserRows__EndedSession ***sessions);

/* What events add to one member's counts. */
struct member_counts {
        char *user_id;
        int64_t notes, followers, following;
};
/* A member may come more than once. The rows are locked in order of id, so that two such transactions cannot wait for
 * each other. Members that do not exist are passed over. */
SN_CHECKED sn_status store_count_members(struct db_tx *tx, const struct member_counts *counts, size_t n);
/* Settings that are not as by default. */
SN_CHECKED sn_status store_settings(struct db_tx *tx, char **ids, size_t n_ids, size_t *n,
                                    UserRows__StoredSetting ***settings);
SN_CHECKED sn_status store_keep_settings(struct db_tx *tx, const char *user_id, char **keys, char **values, size_t n);
SN_CHECKED sn_status store_drop_settings(struct db_tx *tx, const char *user_id, char **keys, size_t n);

/* One portion, in a transaction of its own. */
SN_CHECKED sn_status store_cleanup(struct rpc_call *c, bool *more);

#endif
