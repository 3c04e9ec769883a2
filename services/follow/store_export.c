/* Owns the SQL for exporting a member's data. Blocks and mutes of the member by others are theirs, and not included. */
#include "services/follow/follow.h"

#include "services/export.h"

#define EDGES(table, one, other)                                                                                       \
        "select " other "::text as position, jsonb_build_object('user_id', " other ", 'created_at', created_at)::text" \
        " as json from " table " where " one " = $1 and " other                                                        \
        " > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000') order by " other " limit $3"

DB_STATEMENT(EXPORT_FOLLOWING, "follow_service", NULL, EDGES("user_relationships", "follower_id", "followee_id"));
DB_STATEMENT(EXPORT_FOLLOWERS, "follow_service", NULL, EDGES("user_relationships", "followee_id", "follower_id"));
DB_STATEMENT(EXPORT_BLOCKS, "follow_service", NULL, EDGES("user_blocks", "blocker_id", "blocked_id"));
DB_STATEMENT(EXPORT_MUTES, "follow_service", NULL, EDGES("user_mutes", "muter_id", "muted_id"));
DB_STATEMENT(EXPORT_REQUESTS, "follow_service", NULL, EDGES("follow_requests", "requester_id", "target_id"));

const struct service_export follow_exports[] = {
    {"following", &EXPORT_FOLLOWING}, {"followers", &EXPORT_FOLLOWERS},      {"blocks", &EXPORT_BLOCKS},
    {"mutes", &EXPORT_MUTES},         {"follow_requests", &EXPORT_REQUESTS}, {0}};
