/* Owns the SQL of what analytics_service exports about a member: their events and visits, as long as they can be linked
 * to the member. */
#include "services/analytics/analytics.h"

DB_STATEMENT(EXPORT_EVENTS, "analytics_service", NULL,
             "select (extract(epoch from e.at) * 1000000)::bigint || ' ' || e.id as position,"
             " jsonb_build_object('name', e.name, 'at', e.at, 'object_id', e.object_id, 'properties',"
             " e.properties)::text as json from user_events e"
             " where e.visitor = (select visitor from analytics_people where user_id = $1) and (e.at, e.id) >"
             " ('epoch'::timestamptz + coalesce(nullif(split_part($2, ' ', 1), '')::bigint, 0) * interval"
             " '1 microsecond', coalesce(nullif(split_part($2, ' ', 2), '')::uuid,"
             " '00000000-0000-0000-0000-000000000000')) order by e.at, e.id limit $3");

DB_STATEMENT(EXPORT_VISITS, "analytics_service", NULL,
             "select day::text as position, jsonb_build_object('day', day, 'first_at', first_at, 'last_at', last_at,"
             " 'events', events)::text as json from user_sessions"
             " where visitor = (select visitor from analytics_people where user_id = $1)"
             " and day > coalesce(nullif($2, '')::date, '0001-01-01') order by day limit $3");

/* An author without a user id has erased their account. */
DB_STATEMENT(EXPORT_PROFILE, "analytics_service", NULL,
             "select p.author::text as position, jsonb_build_object('author_id', a.user_id, 'reads', p.reads, 'likes',"
             " p.likes, 'renotes', p.renotes, 'answers', p.answers, 'updated_at', p.updated_at)::text as json"
             " from user_engagement_profiles p left join analytics_people a on a.visitor = p.author"
             " where p.visitor = (select visitor from analytics_people where user_id = $1) and p.author >"
             " coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000') order by p.author limit $3");

const struct service_export analytics_exports[] = {
    {"events", &EXPORT_EVENTS}, {"visits", &EXPORT_VISITS}, {"engagement", &EXPORT_PROFILE}, {0}};
