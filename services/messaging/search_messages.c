/* Owns searching messages by words, in the actor's chats and as far as the actor may read them. */
#include "services/messaging/search_messages.h"

#include <string.h>
#include "auth/cursor.h"
#include "services/messaging/show.h"
#include "services/messaging/store_changes.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_log.h"
#include "services/messaging/store_search.h"
#include "services/messaging/words.h"
#include "services/page.h"

enum { WORDS_MAX = 1000, WORDS_ASKED_MAX = 16 };

sn_status search_put(struct db_tx *tx, const chat_entry *message, const char *text)
{
        char **words = NULL;
        size_t n = words_of(db_arena(tx), text, WORDS_MAX, &words);

        TRY(search_store_put(tx, message, words, n));
        index_words_announce(tx);
        return SN_OK;
}

/* The words may be of messages that were deleted a moment ago. */
static void drop_deleted(chat_entry **entries, size_t *n)
{
        size_t kept = 0;

        for (size_t i = 0; i < *n; i++) {
                if (!entries[i]->deleted) {
                        entries[kept++] = entries[i];
                }
        }
        *n = kept;
}

static sn_status load_found(struct db_tx *tx, char **ids, size_t n_ids, struct shown **items, size_t *n)
{
        char **chats = ARENA_ARRAY(db_arena(tx), char *, n_ids), **actors = ARENA_ARRAY(db_arena(tx), char *, n_ids);
        chat_entry **entries = NULL;
        chat_member **members = NULL;
        size_t n_members = 0;

        TRY(chat_store_entries(tx, ids, n_ids, n, &entries));
        TRY(chat_store_drop_hidden(tx, entries, n));
        drop_deleted(entries, n);
        for (size_t i = 0; i < *n; i++) {
                chats[i] = entries[i]->chat_id;
                actors[i] = (char *)db_call(tx)->actor;
        }
        TRY(chat_store_members(tx, chats, actors, *n, &n_members, &members));
        if (n_members != *n) {
                return rpc_fail(db_call(tx), SN_INTERNAL, NULL, "the chat of a matching message is gone");
        }
        *items = ARENA_ARRAY(db_arena(tx), struct shown, *n);
        for (size_t i = 0; i < *n; i++) {
                (*items)[i] = (struct shown){.entry = entries[i], .viewer = db_call(tx)->actor, .member = members[i]};
        }
        return SN_OK;
}

static char *cursor_behind(struct rpc_call *c, const char *filter, const char *id)
{
        struct cursor cursor = {0};

        memcpy(cursor.at.id, id, UUID_SIZE);
        return cursor_encode(c, filter, &cursor);
}

static sn_status show_found(struct rpc_call *c, char **ids, size_t n_ids, Messaging__FoundMessages *out)
{
        struct shown *items = NULL;

        TRY(DB_READ(c, tx, load_found(tx, ids, n_ids, &items, &out->n_items)));
        TRY(show_messages(c, items, out->n_items));
        out->items = ARENA_ARRAY(c->arena, Messaging__Message *, out->n_items);
        for (size_t i = 0; i < out->n_items; i++) {
                out->items[i] = items[i].message;
        }
        return SN_OK;
}

/* A page may be shorter than limit, since messages that the actor has deleted for themselves are not shown. */
sn_status messaging_handle_find_messages(struct rpc_call *c, const Messaging__FindMessagesRequest *in,
                                         Messaging__FoundMessages *out)
{
        const char *filter = arena_printf(c->arena, "%s:%s", in->chat_id, in->query);
        size_t limit = page_limit(in->limit), n = 0;
        struct wanted wanted = {.chat_id = in->chat_id, .limit = limit + 1};
        char **ids = NULL, **words = NULL;
        struct cursor from = {0};

        TRY(cursor_decode(c, filter, "cursor", in->cursor, &from));
        wanted.n = words_of(c->arena, in->query, WORDS_ASKED_MAX, &words);
        wanted.words = words;
        wanted.before_id = from.at.id;
        if (wanted.n == 0) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "query", "contains no word to search for");
        }
        TRY(DB_READ(c, tx, search_store_find(tx, &wanted, &n, &ids)));
        out->next_cursor = n > limit ? cursor_behind(c, filter, ids[limit - 1]) : "";
        return show_found(c, ids, n < limit ? n : limit, out);
}
