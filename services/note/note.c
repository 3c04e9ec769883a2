/* note_service: what it is made of. */
#include "services/note/note.h"

#include "services/note/handlers.h"
#include "services/note/marks.h"
#include "services/note/recent.h"
#include "services/note/schema.h"
#include "services/note/stored.h"

static const struct note_handlers handlers = {
    .create_note = create_note,
    .get_note = get_note,
    .edit_note = edit_note,
    .delete_note = delete_note,
    .like_note = like_note,
    .unlike_note = unlike_note,
    .renote_note = renote_note,
    .unrenote_note = unrenote_note,
    .bookmark_note = bookmark_note,
    .unbookmark_note = unbookmark_note,
    .list_bookmarks = list_bookmarks,
    .create_comment = create_comment,
    .list_comments = list_comments,
    .get_thread = get_thread,
    .batch_get = batch_get,
    .list_ids_by_authors = list_ids_by_authors,
    .list_ids_by_hashtag = list_ids_by_hashtag,
    .read_outbox = bus_read_outbox,
};

/* Notes take most of the memory; marks and lists are small. */
static sn_status start(struct service *service, const struct settings *settings)
{
        size_t bytes = (size_t)settings->note_cache_bytes;

        TRY(stored_start(bytes / 4 * 3));
        TRY(marks_start(bytes / 8));
        return recent_start(bytes / 8);
}

static void stop(struct service *service)
{
        stored_stop();
        marks_stop();
        recent_stop();
}

static void forget(struct service *service)
{
        stored_forget();
        marks_forget();
        recent_forget();
}

const struct service_definition note_service = {
    .name = "note",
    .contract = &note_contract,
    .handlers = &handlers,
    .schema = &note_schema,
    .emits = true,
    .single = true,
    .start = start,
    .stop = stop,
    .forget = forget,
};
