/* Owns showing messages to live streams as they were committed a moment ago, from memory. Whoever could read a message
 * then is shown it, even if they leave meanwhile: its number is in the range that they may still read. */
#include "services/messaging/live.h"

#include "services/messaging/people.h"
#include "services/messaging/recent_messages.h"
#include "services/messaging/show.h"

/* A message has at most three forms: for its sender, for members who block the sender, and for all others. */
enum form { FORM_OWN, FORM_BLOCKED, FORM_OTHER, FORMS };

/* Finds the events' messages. *all: every one is there, with all of the viewers among its readers. */
static struct recent_message *find_all(struct rpc_call *c, const Sonet__Live__ShowRequest *in, bool *all)
{
        struct recent_message *messages = ARENA_ARRAY(c->arena, struct recent_message, in->n_events);

        *all = true;
        for (size_t e = 0; e < in->n_events && *all; e++) {
                *all = live_kind_of(in->events[e]) == LIVE_LOG &&
                       recent_messages_find(c->arena, in->events[e]->object_id, &messages[e]);
                for (size_t v = 0; v < in->n_viewer_ids && *all; v++) {
                        *all = recent_message_is_read_by(&messages[e], in->viewer_ids[v]);
                }
        }
        return messages;
}

static sn_status choose_forms(struct rpc_call *c, const struct recent_message *message,
                              const Sonet__Live__ShowRequest *in, enum form *forms)
{
        char **senders = ARENA_ARRAY(c->arena, char *, in->n_viewer_ids);
        bool *blocked = ARENA_ARRAY(c->arena, bool, in->n_viewer_ids);

        for (size_t v = 0; v < in->n_viewer_ids; v++) {
                senders[v] = message->entry->sender_id;
        }
        if (message->chat_kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                TRY(people_blocked(c, in->viewer_ids, senders, in->n_viewer_ids, &blocked));
        }
        for (size_t v = 0; v < in->n_viewer_ids; v++) {
                forms[v] = uuid_equal(in->viewer_ids[v], senders[v]) ? FORM_OWN
                           : blocked[v]                              ? FORM_BLOCKED
                                                                     : FORM_OTHER;
        }
        return SN_OK;
}

static chat_member *reader_of(struct rpc_call *c, const struct recent_message *message, char *user_id)
{
        chat_member *reader = ARENA_NEW(c->arena, chat_member);

        messaging_rows__member__init(reader);
        reader->chat_id = message->entry->chat_id;
        reader->user_id = user_id;
        reader->kind = message->chat_kind;
        reader->state = MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN;
        return reader;
}

/* changes[form]: as the first viewer with this form is shown it. */
static sn_status show_forms(struct rpc_call *c, const struct recent_message *message,
                            const Sonet__Live__ShowRequest *in, const enum form *forms,
                            Messaging__Change *changes[FORMS])
{
        struct shown items[FORMS];
        Messaging__Change *shown[FORMS];
        enum form of[FORMS];
        size_t n = 0;
        bool has[FORMS] = {false};

        for (size_t v = 0; v < in->n_viewer_ids; v++) {
                if (!has[forms[v]]) {
                        has[forms[v]] = true;
                        of[n] = forms[v];
                        items[n++] = (struct shown){.entry = message->entry,
                                                    .viewer = in->viewer_ids[v],
                                                    .member = reader_of(c, message, in->viewer_ids[v])};
                }
        }
        TRY(show_changes(c, items, n, shown));
        for (size_t i = 0; i < n; i++) {
                changes[of[i]] = shown[i];
        }
        return SN_OK;
}

sn_status live_show_recent(struct rpc_call *c, const Sonet__Live__ShowRequest *in, Messaging__ChatEvents *out,
                           bool *shown)
{
        struct recent_message *messages = find_all(c, in, shown);
        enum form *forms = ARENA_ARRAY(c->arena, enum form, in->n_viewer_ids);

        for (uint32_t e = 0; e < in->n_events && *shown; e++) {
                Messaging__Change *changes[FORMS] = {NULL};

                TRY(choose_forms(c, &messages[e], in, forms));
                TRY(show_forms(c, &messages[e], in, forms, changes));
                for (uint32_t v = 0; v < in->n_viewer_ids; v++) {
                        live_add_change(c, out, e, v, changes[forms[v]]);
                }
        }
        return SN_OK;
}
