/* Owns the SQL for exporting a member's data. */
#include "services/note/note.h"

#include "services/export.h"

#define AFTER(column) column " > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')"

/* Includes comments and renotes. */
DB_STATEMENT(
    EXPORT_NOTES, "note_service", NULL,
    "select id::text as position, jsonb_build_object('id', id, 'text', text, 'visibility', (array['public',"
    " 'followers', 'only_me'])[visibility], 'parent_id', parent_id, 'renote_of_id', renote_of_id, 'created_at',"
    " created_at, 'edited_at', edited_at)::text as json from notes where author_id = $1 and deleted_at is null"
    " and " AFTER("id") " order by id limit $3");

#define MARKS(table)                                                                                                   \
        "select note_id::text as position, jsonb_build_object('note_id', note_id, 'created_at', created_at)::text"     \
        " as json from " table " where user_id = $1 and " AFTER("note_id") " order by note_id limit $3"

DB_STATEMENT(EXPORT_LIKES, "note_service", NULL, MARKS("note_likes"));
DB_STATEMENT(EXPORT_BOOKMARKS, "note_service", NULL, MARKS("note_bookmarks"));

const struct service_export note_exports[] = {
    {"notes", &EXPORT_NOTES}, {"likes", &EXPORT_LIKES}, {"bookmarks", &EXPORT_BOOKMARKS}, {0}};
