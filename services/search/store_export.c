/* Owns the SQL on what search_service exports of a member. */
#include "services/search/search.h"

#define AFTER "id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000') order by id limit $3"

DB_STATEMENT(EXPORT_HISTORY, "search_service", NULL,
             "select id::text as position, jsonb_build_object('query', query, 'used_at', used_at)::text as item"
             " from search_history where user_id = $1 and " AFTER);
DB_STATEMENT(EXPORT_SAVED, "search_service", NULL,
             "select id::text as position, jsonb_build_object('name', name, 'query', query, 'created_at',"
             " created_at)::text as item from saved_searches where user_id = $1 and " AFTER);

const struct service_export search_exports[] = {
    {"search_history", &EXPORT_HISTORY}, {"saved_searches", &EXPORT_SAVED}, {0}};
