/* Owns the SQL of what media_service exports about a member. The files are at GET /media/{id}/original. */
#include "services/media/media.h"

#define AFTER(column) column " > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')"

DB_STATEMENT(EXPORT_FILES, "media_service", NULL,
             "select id::text as position, jsonb_build_object('id', id, 'file_name', file_name, 'mime_type', mime_type,"
             " 'size_bytes', size_bytes, 'width', width, 'height', height, 'duration_ms', duration_ms, 'alt_text',"
             " alt_text, 'created_at', created_at, 'path', '/media/' || id || '/original')::text as json"
             " from media_files where owner_id = $1 and " AFTER("id") " order by id limit $3");
DB_STATEMENT(EXPORT_UPLOADS, "media_service", NULL,
             "select id::text as position, jsonb_build_object('id', id, 'length', length, 'received_bytes',"
             " received_bytes, 'metadata', metadata, 'created_at', created_at, 'expires_at', expires_at)::text as json"
             " from upload_sessions where owner_id = $1 and " AFTER("id") " order by id limit $3");

DB_STATEMENT(EXPORT_TAGS, "media_service", NULL,
             "select media_id || ' ' || tag as position, jsonb_build_object('media_id', media_id, 'tag', tag)::text as"
             " json from media_tags where owner_id = $1 and (media_id, tag) >"
             " (coalesce(nullif(left($2, 36), '')::uuid, '00000000-0000-0000-0000-000000000000'), substr($2, 38))"
             " order by media_id, tag limit $3");
DB_STATEMENT(EXPORT_COLLECTIONS, "media_service", NULL,
             "select id::text as position, jsonb_build_object('id', id, 'name', name, 'parent_id', parent_id,"
             " 'created_at', created_at)::text as json"
             " from media_collections where owner_id = $1 and " AFTER("id") " order by id limit $3");
DB_STATEMENT(EXPORT_COLLECTED, "media_service", NULL,
             "select i.collection_id || ' ' || i.media_id as position, jsonb_build_object('collection_id',"
             " i.collection_id, 'media_id', i.media_id)::text as json"
             " from media_collections c join media_collection_items i on i.collection_id = c.id where c.owner_id = $1"
             " and (i.collection_id, i.media_id) > (coalesce(nullif(left($2, 36), '')::uuid,"
             " '00000000-0000-0000-0000-000000000000'), coalesce(nullif(substr($2, 38), '')::uuid,"
             " '00000000-0000-0000-0000-000000000000')) order by i.collection_id, i.media_id limit $3");

/* Only accesses by the member: who else accessed their media is not their data. */
DB_STATEMENT(EXPORT_ACCESSES, "media_service", NULL,
             "select id::text as position, jsonb_build_object('media_id', media_id, 'variant', variant, 'granted',"
             " is_granted, 'times', times, 'created_at', created_at)::text as json"
             " from media_access_logs where viewer_id = $1 and " AFTER("id") " order by id limit $3");

const struct service_export media_exports[] = {{"files", &EXPORT_FILES},
                                               {"uploads", &EXPORT_UPLOADS},
                                               {"tags", &EXPORT_TAGS},
                                               {"collections", &EXPORT_COLLECTIONS},
                                               {"collected", &EXPORT_COLLECTED},
                                               {"accesses", &EXPORT_ACCESSES},
                                               {0}};
