/* Owns the payload of a push: who did what, and the beginning of public notes and of messages unless the member turned
 * that off. */
#include "services/notification/push.h"

#include "json/json.h"
#include "services/notification/words.h"

enum { TEXT_MAX_BYTES = 500, TITLE_MAX_BYTES = 500 };

struct template_text push_title(const struct outgoing *d, enum channel channel)
{
        return templates_choose(d->templates, d->shown[0]->type, channel, d->rules->language);
}

const char *push_collapse_key(const struct outgoing *d)
{
        return d->retracts != NULL ? d->retracts : d->shown[0]->group_key;
}

static struct str to_json(struct arena *arena, const struct rpc_message *type, const ProtobufCMessage *message)
{
        struct buf json;

        buf_init(&json, PUSH_TEXT_MAX);
        json_write_message(&json, type, message);
        struct str out = (struct str){arena_strndup(arena, json.data, json.len), json.len};
        buf_free(&json);
        return out;
}

static struct str retraction(struct arena *arena, const struct outgoing *d, char *tag)
{
        NotificationRows__PushRetraction text = NOTIFICATION_ROWS__PUSH_RETRACTION__INIT;

        text.id = d->rows[0]->notification_id;
        text.tag = tag;
        text.retracted = true;
        return to_json(arena, &notification_rows__push_retraction__message, &text.base);
}

static struct str text_of(struct arena *arena, const struct outgoing *d, char *tag)
{
        const Notification__Notification *newest = d->shown[0];
        NotificationRows__PushText text = NOTIFICATION_ROWS__PUSH_TEXT__INIT;

        text.id = newest->id;
        text.tag = tag;
        text.type = newest->type;
        text.actor = words_name(arena, newest->actors[0]);
        text.title = words_cut(arena, headline_of(arena, push_title(d, CHANNEL_PUSH).source, newest), TITLE_MAX_BYTES);
        text.actors_count = newest->actors_count;
        text.notifications = (int64_t)d->n_shown;
        if (newest->note != NULL) {
                text.note_id = newest->note->id;
        }
        if (newest->chat != NULL) {
                text.chat_id = newest->chat->id;
        }
        char *said = words_beginning(arena, d->rules, newest, TEXT_MAX_BYTES);
        if (said != NULL) {
                text.text = said;
        }
        return to_json(arena, &notification_rows__push_text__message, &text.base);
}

struct str push_text(struct arena *arena, const struct outgoing *d)
{
        char topic[PUSH_TOPIC_CHARS + 1], *tag = push_topic(push_collapse_key(d), topic);

        return d->retracts != NULL ? retraction(arena, d, tag) : text_of(arena, d, tag);
}
