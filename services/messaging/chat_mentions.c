/* Owns mentions of members in messages. */
#include "services/messaging/chat_mentions.h"

#include "services/entities.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/store_mentions.h"

static sn_status resolve(struct rpc_call *c, const char *text, size_t *n, char ***ids)
{
        User__ResolveUsernamesRequest in = USER__RESOLVE_USERNAMES_REQUEST__INIT;
        User__Authors found = USER__AUTHORS__INIT;
        struct entities entities;

        entities_extract(c->arena, text, &entities);
        if (entities.n_mentions == 0) {
                return SN_OK;
        }
        in.usernames = entities.mentions;
        in.n_usernames = entities.n_mentions;
        TRY(user_resolve_usernames(c, &in, &found));
        *ids = ARENA_ARRAY(c->arena, char *, found.n_items);
        for (size_t i = 0; i < found.n_items; i++) {
                (*ids)[(*n)++] = found.items[i]->id;
        }
        return SN_OK;
}

sn_status chat_mentions_find(struct rpc_call *c, const char *chat_id, const char *text, struct named *named)
{
        char **ids = NULL;
        size_t n = 0;

        TRY(resolve(c, text, &n, &ids));
        if (n == 0) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, mention_store_present(tx, chat_id, ids, n, &named->n, &named->ids)));
        return people_get(c, named->ids, named->n, &named->people);
}

sn_status chat_mentions_put(struct db_tx *tx, const chat_entry *message, const struct named *named)
{
        return mention_store_put(tx, message, named->ids, named->n);
}

static void add_mention(struct arena *arena, Messaging__Message *message, User__Author *person)
{
        if (message->mentions == NULL) {
                message->mentions = ARENA_ARRAY(arena, User__Author *, MENTIONS_MAX);
        }
        if (person != NULL && message->n_mentions < MENTIONS_MAX) {
                message->mentions[message->n_mentions++] = person;
        }
}

void chat_mentions_fill(struct rpc_call *c, const struct named *named, Messaging__Message *out)
{
        out->n_mentions = 0;
        for (size_t i = 0; i < named->n; i++) {
                add_mention(c->arena, out, named->people[i]);
        }
}

/* Loads mentions only for members present in the chat, since former members may not see later edits. */
static sn_status load_mentions(struct rpc_call *c, const struct shown *items, size_t n, size_t *n_rows,
                               MessagingRows__Mention ***rows)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                bool out = items[i].member != NULL && !membership_is_present(items[i].member);

                ids[i] = items[i].entry->names && !out && !items[i].entry->deleted ? items[i].entry->id : "";
        }
        return show_asks(ids, n) ? DB_READ(c, tx, mention_store_list(tx, ids, n, n_rows, rows)) : SN_OK;
}

sn_status chat_mentions_show(struct rpc_call *c, struct shown *items, size_t n)
{
        MessagingRows__Mention **rows = NULL;
        User__Author **people = NULL;
        size_t n_rows = 0;

        TRY(load_mentions(c, items, n, &n_rows, &rows));
        char **ids = ARENA_ARRAY(c->arena, char *, n_rows);

        for (size_t i = 0; i < n_rows; i++) {
                ids[i] = rows[i]->user_id;
        }
        TRY(people_get(c, ids, n_rows, &people));
        for (size_t i = 0; i < n_rows; i++) {
                add_mention(c->arena, items[rows[i]->place].message, people[i]);
        }
        return SN_OK;
}

sn_status chat_mentions_count(struct rpc_call *c, chat_member *const *members, size_t n, Messaging__Chat **chats)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        int64_t *read = ARENA_ARRAY(c->arena, int64_t, n), *unread = ARENA_ARRAY(c->arena, int64_t, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = members[i]->chat_id;
                read[i] = members[i]->read_seq;
        }
        TRY(DB_READ(c, tx, mention_store_unread(tx, ids, read, n, unread)));
        for (size_t i = 0; i < n; i++) {
                chats[i]->unread_mentions = unread[i];
        }
        return SN_OK;
}
