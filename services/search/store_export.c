/* Owns the SQL of what search_service exports about a member: their searches, and how they can be found. The words of
 * notes are part of the notes, which note_service exports. */
#include "services/search/search.h"

#define AFTER "id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000') order by id limit $3"

DB_STATEMENT(EXPORT_HISTORY, "search_service", NULL,
             "select id::text as position, jsonb_build_object('query', query, 'used_at', used_at)::text as json"
             " from search_history where user_id = $1 and " AFTER);
DB_STATEMENT(
    EXPORT_SAVED, "search_service", NULL,
    "select id::text as position, jsonb_build_object('name', name, 'query', query, 'alerts',"
    " anchors is not null, 'created_at', created_at)::text as json from saved_searches where user_id = $1 and " AFTER);
DB_STATEMENT(EXPORT_LISTING, "search_service", NULL,
             "select '1' as position, jsonb_build_object('username', username_key, 'names', names, 'discoverable',"
             " discoverable, 'searchable', searchable)::text as json from search_members where user_id = $1"
             " and $2 = '' limit $3");

const struct service_export search_exports[] = {
    {"search_history", &EXPORT_HISTORY}, {"saved_searches", &EXPORT_SAVED}, {"listing", &EXPORT_LISTING}, {0}};
