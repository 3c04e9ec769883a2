/* Owns what a push says: who did what, and of notes for everybody how they begin, unless the member wants it unsaid. */
#include "services/notification/push.h"

#include <string.h>
#include "json/json.h"

enum { TEXT_MAX_BYTES = 500, NAME_MAX_BYTES = 300 };

/* Ends between characters. */
static char *beginning(struct arena *arena, const char *text, size_t max)
{
        size_t len = strnlen(text, max + 1);

        if (len > max) {
                for (len = max; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80; len--) {
                }
        }
        return arena_strndup(arena, text, len);
}

struct str push_text(struct arena *arena, const struct outgoing *d)
{
        const Notification__Notification *newest = d->shown[0];
        NotificationRows__PushText text = NOTIFICATION_ROWS__PUSH_TEXT__INIT;
        struct buf json;
        struct str out;

        text.id = newest->id;
        text.type = newest->type;
        text.actor = beginning(arena, newest->actors[0]->display_name, NAME_MAX_BYTES);
        text.actors_count = newest->actors_count;
        text.notifications = (int64_t)d->n_shown;
        if (newest->note != NULL) {
                text.note_id = newest->note->id;
        }
        if (newest->note != NULL && newest->note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC &&
            d->rules->show_content) {
                text.text = beginning(arena, newest->note->text, TEXT_MAX_BYTES);
        }
        buf_init(&json, PUSH_TEXT_MAX);
        json_write_message(&json, &notification_rows__push_text__message, &text.base);
        out = (struct str){arena_strndup(arena, json.data, json.len), json.len};
        buf_free(&json);
        return out;
}
