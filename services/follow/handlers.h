/* The handlers of follow_service, as follow.c lists them. */
#ifndef SERVICES_FOLLOW_HANDLERS_H
#define SERVICES_FOLLOW_HANDLERS_H

#include "db/db.h"
#include "services/follow/follow.rpc.h"

#define EVENT_FOLLOW_CREATED "follow.created" /* aggregate: the follower; object: the followed member */
#define EVENT_FOLLOW_DELETED "follow.deleted"

sn_status follow_user(struct rpc_call *c, const Follow__FollowUserRequest *in, Follow__Relationship *out);
sn_status unfollow_user(struct rpc_call *c, const Follow__UnfollowUserRequest *in, Follow__Relationship *out);
sn_status block_user(struct rpc_call *c, const Follow__BlockUserRequest *in, Follow__Relationship *out);
sn_status unblock_user(struct rpc_call *c, const Follow__UnblockUserRequest *in, Follow__Relationship *out);
sn_status mute_user(struct rpc_call *c, const Follow__MuteUserRequest *in, Follow__Relationship *out);
sn_status unmute_user(struct rpc_call *c, const Follow__UnmuteUserRequest *in, Follow__Relationship *out);
sn_status list_relationships(struct rpc_call *c, const Follow__ListRelationshipsRequest *in,
                             Follow__RelationshipList *out);
sn_status list_followers(struct rpc_call *c, const Follow__ListFollowersRequest *in, Follow__AuthorList *out);
sn_status list_following(struct rpc_call *c, const Follow__ListFollowingRequest *in, Follow__AuthorList *out);
sn_status get_relations(struct rpc_call *c, const Follow__GetRelationsRequest *in, Follow__Relations *out);
sn_status list_follower_ids(struct rpc_call *c, const Follow__ListFollowerIdsRequest *in, Follow__FollowerIds *out);
sn_status list_followed_since(struct rpc_call *c, const Follow__ListFollowedSinceRequest *in,
                              Follow__FollowedMembers *out);

/* SN_NOT_FOUND unless the member exists. */
SN_CHECKED sn_status check_member(struct rpc_call *c, const char *user_id);
/* The same; SN_INVALID_ARGUMENT when it is the actor, with "you cannot <verb> yourself". */
SN_CHECKED sn_status check_other_member(struct rpc_call *c, const char *user_id, const char *verb);
/* Ends one follow with its event, when there is one. */
SN_CHECKED sn_status end_follow(struct db_tx *tx, const char *follower, const char *followee);

#endif
