/* Owns the SQL for exporting a member's data: when they last read. */
#include "services/timeline/timeline.h"

DB_STATEMENT(EXPORT_HOME, "timeline_service", NULL,
             "select '1' as position, jsonb_build_object('read_at', read_at)::text as json"
             " from timeline_cache where owner_id = $1 and $2 = '' limit $3");

const struct service_export timeline_exports[] = {{"home", &EXPORT_HOME}, {0}};
