/* Owns the SQL on what user_service exports of a member. */
#include "services/user/user.h"

#include "services/export.h"

#define ONE_ITEM(item, from) "select '1' as position, (" item ")::text as json " from " and $2 = '' limit $3"
#define BY_ID(columns, from)                                                                                           \
        "select id::text as position, to_jsonb(x)::text as json from (select " columns " from " from " = $1"           \
        " and id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000') order by id limit $3) x"

DB_STATEMENT(EXPORT_ACCOUNT, "user_service", NULL,
             ONE_ITEM("jsonb_build_object('id', id, 'username', username, 'display_name', display_name, 'bio', bio,"
                      " 'email', email, 'email_verified_at', email_verified_at, 'role', role, 'created_at', created_at,"
                      " 'username_changed_at', username_changed_at, 'suspended_at', suspended_at, 'suspension_reason',"
                      " suspension_reason, 'avatar_id', avatar_id, 'header_id', header_id, 'deactivated_at', "
                      "deactivated_at, 'join_reason', join_reason)",
                      "from users where id = $1"));
DB_STATEMENT(EXPORT_PROFILE, "user_service", NULL,
             ONE_ITEM("jsonb_build_object('location', location, 'website', website, 'pronouns', pronouns, 'birthday',"
                      " birthday, 'field_names', field_names, 'field_values', field_values)",
                      "from user_profiles where user_id = $1"));
DB_STATEMENT(EXPORT_SETTINGS, "user_service", NULL,
             "select key as position, jsonb_build_object(key, value)::text as json from user_settings"
             " where user_id = $1 and key > $2 order by key limit $3");
DB_STATEMENT(EXPORT_SESSIONS, "user_service", NULL,
             BY_ID("id, created_at, last_used_at, ended_at, user_agent, address, device_name, factors",
                   "user_sessions where user_id"));
DB_STATEMENT(EXPORT_LOGINS, "user_service", NULL,
             BY_ID("id, created_at, succeeded, factor, reason, address, user_agent",
                   "user_login_history where user_id"));
DB_STATEMENT(EXPORT_PASSKEYS, "user_service", NULL,
             BY_ID("id, name, created_at, last_used_at", "passkeys where user_id"));
DB_STATEMENT(EXPORT_INVITES, "user_service", NULL,
             BY_ID("id, uses, uses_left, expires_at, created_at", "invites where inviter_id"));
DB_STATEMENT(EXPORT_AUDIT, "user_service", NULL,
             BY_ID("id, occurred_at, action, before, after", "audit_log where subject_id"));

const struct service_export user_exports[] = {
    {"account", &EXPORT_ACCOUNT},   {"profile", &EXPORT_PROFILE}, {"settings", &EXPORT_SETTINGS},
    {"sessions", &EXPORT_SESSIONS}, {"log_ins", &EXPORT_LOGINS},  {"passkeys", &EXPORT_PASSKEYS},
    {"invites", &EXPORT_INVITES},   {"changes", &EXPORT_AUDIT},   {0},
};
