/* The SQL of follow_service. All functions take an open transaction or read. */
#ifndef SERVICES_FOLLOW_STORE_H
#define SERVICES_FOLLOW_STORE_H

#include "db/db.h"
#include "services/follow/follow.rpc.h"
#include "services/follow/follow_rows.rpc.h"
#include "services/page.h"

/* Serialises changes of a pair, and of the follower, so that their versions commit in order. */
SN_CHECKED sn_status store_lock(struct db_tx *tx, const char *follower, const char *other);
/* SN_PERMISSION_DENIED if either blocks the other. */
SN_CHECKED sn_status store_check_not_blocked(struct db_tx *tx, const char *a, const char *b);

/* *changed tells whether anything was changed. */
SN_CHECKED sn_status store_insert_follow(struct db_tx *tx, const char *follower, const char *followee, bool *changed);
SN_CHECKED sn_status store_delete_follow(struct db_tx *tx, const char *follower, const char *followee, bool *changed);
SN_CHECKED sn_status store_insert_block(struct db_tx *tx, const char *blocker, const char *blocked);
SN_CHECKED sn_status store_delete_block(struct db_tx *tx, const char *blocker, const char *blocked);
SN_CHECKED sn_status store_insert_mute(struct db_tx *tx, const char *muter, const char *muted);
SN_CHECKED sn_status store_delete_mute(struct db_tx *tx, const char *muter, const char *muted);

/* Taken after those of store_lock: serialises requests to an account. */
SN_CHECKED sn_status store_lock_requests(struct db_tx *tx, const char *target);
/* The version at which the account last became public, 0: never. */
SN_CHECKED sn_status store_opening(struct db_tx *tx, const char *user_id, int64_t *version);
SN_CHECKED sn_status store_note_opening(struct db_tx *tx, const char *user_id, int64_t version);
SN_CHECKED sn_status store_insert_request(struct db_tx *tx, const char *requester, const char *target,
                                          int64_t privacy_version, bool *inserted);
SN_CHECKED sn_status store_delete_request(struct db_tx *tx, const char *requester, const char *target, bool *deleted);
/* Requests to a member, by the time at which they were made, beyond the scan's position. */
SN_CHECKED sn_status store_requests(struct db_tx *tx, const char *target, const struct page_scan *scan, size_t *n,
                                    FollowRows__Edge ***requests);
SN_CHECKED sn_status store_request(struct db_tx *tx, const char *target, const char *requester,
                                   FollowRows__Edge *request, bool *found);
/* Those made under an older version of the member's privacy, oldest first. */
SN_CHECKED sn_status store_requests_before(struct db_tx *tx, const char *target, int64_t privacy_version, size_t limit,
                                           size_t *n, FollowRows__Edge ***requests);

/* Some of a member's follows, in both directions. */
SN_CHECKED sn_status store_follows_of(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                                      FollowRows__Follower ***follows);
/* Deletes some of a member's other rows: blocks, mutes, requests. */
SN_CHECKED sn_status store_erase_some(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                                      FollowRows__Follower ***pairs);
/* Erases rows of which there is only one each. */
SN_CHECKED sn_status store_erase_single_rows(struct db_tx *tx, const char *user_id);

/* rows[i] is the relationship of viewers[i] with ids[i]. */
SN_CHECKED sn_status store_relations(struct db_tx *tx, char **viewers, char **ids, size_t n, size_t *n_rows,
                                     Follow__Relationship ***rows);
SN_CHECKED sn_status store_version(struct db_tx *tx, const char *follower, int64_t *version);

/* Follows by the time at which they were made, beyond the scan's position. */
SN_CHECKED sn_status store_followers(struct db_tx *tx, const char *followee, const struct page_scan *scan, size_t *n,
                                     FollowRows__Edge ***edges);
SN_CHECKED sn_status store_following(struct db_tx *tx, const char *follower, const struct page_scan *scan, size_t *n,
                                     FollowRows__Edge ***edges);
SN_CHECKED sn_status store_follow(struct db_tx *tx, const char *follower, const char *followee, FollowRows__Edge *edge,
                                  bool *found);
/* For several members, in order, ascending by follower ID; for the first one those after an ID; at most limit for
 * each, and total altogether (0: no such limit). */
SN_CHECKED sn_status store_follower_ids(struct db_tx *tx, char **followees, size_t n_followees, const char *after,
                                        size_t limit, size_t total, size_t *n, FollowRows__Follower ***followers);
/* Ascending by version, after the given one; without_muted: except members whom the follower mutes. */
SN_CHECKED sn_status store_followed_since(struct db_tx *tx, const char *follower, int64_t after_version,
                                          bool without_muted, size_t limit, size_t *n, FollowRows__Edge ***edges);

#endif
