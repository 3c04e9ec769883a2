/* The SQL of user_service. All functions take an open transaction or read. */
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
        const char *join_reason; /* shown to moderators */
        bool waits;              /* for approval */
};

/* Converts the paths in its row to URLs. */
void store_complete_user(struct db_tx *tx, User__User *user);

/* SN_ALREADY_EXISTS (username_taken) on field username. */
SN_CHECKED sn_status store_insert_user(struct db_tx *tx, const struct new_user *user);
/* Until the transaction ends, nobody else can take the name: no index spans names and former names. */
SN_CHECKED sn_status store_lock_username(struct db_tx *tx, const char *username_key);
/* A former name is available to its last owner (user_id; "": nobody). */
SN_CHECKED sn_status store_check_username_free(struct db_tx *tx, const char *username_key, const char *user_id);
/* The problem SN_ALREADY_EXISTS (username_taken). */
sn_status store_username_taken(struct rpc_call *c);
/* Including the e-mail address, and even if the account is deactivated: for the member themselves. SN_NOT_FOUND. */
SN_CHECKED sn_status store_user(struct db_tx *tx, const char *id, User__User *out);
/* For others, who do not find deactivated members. */
SN_CHECKED sn_status store_shown_user(struct db_tx *tx, const char *id, User__User *out);
SN_CHECKED sn_status store_shown_user_by_name(struct db_tx *tx, const char *username_key, User__User *out);
/* NULL leaves a field unchanged. */
SN_CHECKED sn_status store_update_profile(struct db_tx *tx, const char *id, const char *display_name, const char *bio);
/* Makes the member searchable by these keys and the username only; not at all if they are not discoverable. */
SN_CHECKED sn_status store_set_names(struct db_tx *tx, const char *user_id, char **keys, size_t n);
/* The first of the member's keys with this prefix, or "". */
SN_CHECKED sn_status store_name_key(struct db_tx *tx, const char *start, const char *user_id, char **key);
struct name_position {
        const char *key, *user_id; /* "" for the start; user_id "": before all members with the key */
};
/* Members who have a key with this prefix, each by the first one; ordered by key and ID, after a position. */
SN_CHECKED sn_status store_find_users(struct db_tx *tx, const char *start, const struct name_position *after,
                                      size_t limit, size_t *n, UserRows__FoundUser ***users);
/* In no particular order; unknown ones are missing. */
SN_CHECKED sn_status store_authors(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, User__Author ***rows);
/* In the order of the keys. */
SN_CHECKED sn_status store_authors_by_name(struct db_tx *tx, char **keys, size_t n, size_t *n_rows,
                                           User__Author ***rows);

/* *done is false if it was so already. */
SN_CHECKED sn_status store_deactivate(struct db_tx *tx, const char *user_id, bool *done);
/* Whether others can see the member, as of this transaction; false if there is none. */
SN_CHECKED sn_status store_is_shown(struct db_tx *tx, const char *user_id, bool *shown);
SN_CHECKED sn_status store_reactivate(struct db_tx *tx, const char *user_id, bool *done);
/* Locks the account that was deactivated first, at least that many days ago, or one that has waited for approval for
 * a month; *id is "" if there is none. */
SN_CHECKED sn_status store_lock_expired(struct db_tx *tx, int64_t grace_days, const char **id);
/* All of a member's data in this database, including audit log entries. */
SN_CHECKED sn_status store_erase(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_indexed(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, User__IndexedUser ***rows);
SN_CHECKED sn_status store_indexed_after(struct db_tx *tx, const char *after_id, size_t limit, size_t *n_rows,
                                         User__IndexedUser ***rows);
SN_CHECKED sn_status store_privacy(struct db_tx *tx, const char *user_id, User__Privacy *out, bool *found);
/* Those of the members who allow analytics. */
SN_CHECKED sn_status store_countable(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, char ***countable);
SN_CHECKED sn_status store_raise_privacy_version(struct db_tx *tx, const char *user_id, int64_t *version);

/* By username or e-mail key. */
SN_CHECKED sn_status store_credentials(struct db_tx *tx, const char *key, UserRows__Credentials *out, bool *found);

/* By the member's id. */
SN_CHECKED sn_status store_credentials_of(struct db_tx *tx, const char *user_id, UserRows__Credentials *out,
                                          bool *found);

/* An attempt to log in, for the history, which adds the call's address and user agent. */
struct login_try {
        uint8_t hash[LOGIN_HASH_BYTES]; /* of the login name */
        const char *network;
        char device[UUID_SIZE];  /* a known device of the member; "" if unknown */
        const char *factor;      /* what was used: "password+code"; NULL: "password" */
        const char *reason;      /* why it failed; NULL: "wrong_password" */
        const char *device_name; /* of the new session; NULL: none */
        bool first;              /* the account is new: do not inform its owner of a new device */
};
/* A member's log-ins from the scan's position. */
SN_CHECKED sn_status store_logins(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                                  UserLogins__LogInEntry ***items);
SN_CHECKED sn_status store_login_failures(struct db_tx *tx, const struct login_try *try, UserRows__LoginFailures *out);
/* user_id "": there is no account with this name. */
SN_CHECKED sn_status store_insert_login(struct db_tx *tx, const struct login_try *try, const char *user_id,
                                        bool succeeded);

/* Copies the member's role and epoch to the session, and locks both until the transaction ends, so that log-ins and
 * changes of rights are serialised. SN_NOT_FOUND; SN_UNAUTHENTICATED (account_suspended, account_waiting). */
SN_CHECKED sn_status store_lock_rights(struct db_tx *tx, const char *user_id, struct session *session);
SN_CHECKED sn_status store_insert_session(struct db_tx *tx, const struct session *session, const char *user_id,
                                          const struct login_try *try);
/* Locks the session's row. *found is false if there is none. */
SN_CHECKED sn_status store_refresh_state(struct db_tx *tx, const char *session_id, UserRows__RefreshState *out,
                                         bool *found);
/* answer: the encrypted access token, for a client that asks again; NULL: none. */
SN_CHECKED sn_status store_rotate(struct db_tx *tx, const char *session_id, const uint8_t *answer, size_t len);
/* The state of the call's session and its member. SN_UNAUTHENTICATED (token_revoked) if the session has ended. */
SN_CHECKED sn_status store_step_up_state(struct db_tx *tx, UserRows__StepUpState *out);
/* Records that the session's member has just authenticated. */
SN_CHECKED sn_status store_step_up(struct db_tx *tx);
/* Keeps the call's session from ending before the transaction does, and the member's row from other changes: for
 * changes of account protection, which must not interleave with a password change. SN_UNAUTHENTICATED
 * (token_revoked) if the session has ended. To avoid deadlocks, locks are taken in this order: the member's factors
 * (factors_lock), the member's row, everything else of the member. */
SN_CHECKED sn_status store_lock_running(struct db_tx *tx);
/* Locks only the member's row, before changing the member's data: until the transaction ends, nothing else changes
 * it, and nobody logs in as the member. */
SN_CHECKED sn_status store_lock_member(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_end_session(struct db_tx *tx, const char *session_id, const char *user_id, bool *ended);
/* IDs of active ones except keep ("": none), newest first, without the first skip of them. */
SN_CHECKED sn_status store_running_sessions(struct db_tx *tx, const char *user_id, const char *keep, size_t skip,
                                            size_t *n, char ***ids);
SN_CHECKED sn_status store_raise_epoch(struct db_tx *tx, const char *user_id, int64_t *epoch);
/* ID and epoch of each. */
SN_CHECKED sn_status store_epochs_raised_lately(struct db_tx *tx, int64_t seconds, struct db_rows **rows);
/* Active ones, beyond the scan's position. */
SN_CHECKED sn_status store_sessions(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                                    User__Session ***sessions);
/* Those that ended in the last seconds, ordered by ID, after after_id ("": from the first). */
SN_CHECKED sn_status store_ended_lately(struct db_tx *tx, int64_t seconds, const char *after_id, size_t limit,
                                        size_t *n, UserRows__EndedSession ***sessions);

/* What events add to one member's counts. */
struct member_counts {
        char *user_id;
        int64_t notes, followers, following;
};
/* A member may appear more than once. Rows are locked in order of ID, so that two such transactions cannot deadlock.
 * Unknown members are skipped. */
SN_CHECKED sn_status store_count_members(struct db_tx *tx, const struct member_counts *counts, size_t n);
/* Settings other than the default. */
SN_CHECKED sn_status store_settings(struct db_tx *tx, char **ids, size_t n_ids, size_t *n,
                                    UserRows__StoredSetting ***settings);
SN_CHECKED sn_status store_keep_settings(struct db_tx *tx, const char *user_id, char **keys, char **values, size_t n);
SN_CHECKED sn_status store_drop_settings(struct db_tx *tx, const char *user_id, char **keys, size_t n);

/* One portion, in its own transaction. */
SN_CHECKED sn_status store_cleanup(struct rpc_call *c, bool *more);

#endif
