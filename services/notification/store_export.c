/* Owns the SQL of what notification_service exports about a member. */
#include "services/notification/notification.h"

/* Ordered like lists, by a time and an id that only grow, so that no row is skipped. */
#define TOLD(which)                                                                                                    \
        "select (extract(epoch from n.latest_at) * 1000000)::bigint || ' ' || n.id as position,"                       \
        " jsonb_build_object('id', n.id, 'type', n.type, 'note_id', n.note_id, 'chat_id', n.chat_id, 'actor_ids', "    \
        "(select"                                                                                                      \
        " jsonb_agg(a.actor_id order by a.created_at) from (select actor_id, created_at from notification_actors"      \
        " where notification_id = n.id order by created_at, actor_id limit 500) a), 'latest_at', n.latest_at,"         \
        " 'seen_at', n.seen_at, 'read_at', n.read_at, 'archived_at', n.archived_at, 'snoozed_until',"                  \
        " n.snoozed_until)::text as json from notifications n where n.user_id = $1 and " which                         \
        " and (n.latest_at, n.id) > ('epoch'::timestamptz + coalesce(nullif(split_part($2, ' ', 1), '')::bigint, 0)"   \
        " * interval '1 microsecond', coalesce(nullif(split_part($2, ' ', 2), '')::uuid,"                              \
        " '00000000-0000-0000-0000-000000000000')) order by n.latest_at, n.id limit $3"

DB_STATEMENT(EXPORT_LISTED, "notification_service", NULL, TOLD("n.archived_at is null and n.box = 1"));
DB_STATEMENT(EXPORT_ARCHIVED, "notification_service", NULL, TOLD("n.archived_at is not null and n.box = 1"));

DB_STATEMENT(EXPORT_REQUESTS, "notification_service", NULL, TOLD("n.box = 2"));
DB_STATEMENT(EXPORT_UNLISTED, "notification_service", NULL, TOLD("n.box = 3"));

DB_STATEMENT(EXPORT_PREFERENCES, "notification_service", NULL,
             "select type as position, (to_jsonb(p) - 'user_id')::text as json from notification_preferences p"
             " where user_id = $1 and type > $2 order by type limit $3");
DB_STATEMENT(EXPORT_CHOICES, "notification_service", NULL,
             "select '1' as position, (to_jsonb(c) - 'user_id')::text as json from notification_choices c"
             " where user_id = $1 and $2 = '' limit $3");

DB_STATEMENT(EXPORT_BUDGETS, "notification_service", NULL,
             "select channel::text as position, (to_jsonb(b) - 'user_id')::text as json from notification_budgets b"
             " where user_id = $1 and channel::text > $2 order by channel::text limit $3");

/* The address itself is exported by user_service. */
DB_STATEMENT(EXPORT_SUPPRESSED, "notification_service", NULL,
             "select '1' as position, (to_jsonb(s) - 'user_id' - 'recipient')::text as json from mail_suppressions s"
             " where user_id = $1 and $2 = '' limit $3");

#define MEMBERS_OWN(table, of)                                                                                         \
        "select " of "::text as position, jsonb_build_object('" of "', " of ", 'created_at', created_at)::text as"     \
        " json from " table " where user_id = $1 and " of                                                              \
        " > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000') order by " of " limit $3"

DB_STATEMENT(EXPORT_MUTED, "notification_service", NULL, MEMBERS_OWN("muted_threads", "root_id"));
DB_STATEMENT(EXPORT_WATCHED, "notification_service", NULL, MEMBERS_OWN("watched_members", "author_id"));

/* Codes are not exported: they are deleted within a day. */
DB_STATEMENT(EXPORT_PHONE, "notification_service", NULL,
             "select '1' as position, (to_jsonb(p) - 'user_id')::text as json from phone_numbers p"
             " where user_id = $1 and $2 = '' limit $3");

/* The origin of the push service tells which browser it is; the keys are the browser's own. */
DB_STATEMENT(EXPORT_SUBSCRIPTIONS, "notification_service", NULL,
             "select id::text as position, jsonb_build_object('id', id, 'provider', provider, 'endpoint', endpoint,"
             " 'created_at', created_at)::text as json from push_subscriptions where user_id = $1 and id >"
             " coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000') order by id limit $3");

const struct service_export notification_exports[] = {{"notifications", &EXPORT_LISTED},
                                                      {"archived_notifications", &EXPORT_ARCHIVED},
                                                      {"requests", &EXPORT_REQUESTS},
                                                      {"unlisted_notifications", &EXPORT_UNLISTED},
                                                      {"preferences", &EXPORT_PREFERENCES},
                                                      {"choices", &EXPORT_CHOICES},
                                                      {"budgets", &EXPORT_BUDGETS},
                                                      {"suppressed_mail", &EXPORT_SUPPRESSED},
                                                      {"muted_threads", &EXPORT_MUTED},
                                                      {"watched_members", &EXPORT_WATCHED},
                                                      {"push_subscriptions", &EXPORT_SUBSCRIPTIONS},
                                                      {"phone_number", &EXPORT_PHONE},
                                                      {0}};
