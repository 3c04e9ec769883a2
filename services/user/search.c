/* Owns finding members by name. */
#include "services/user/search.h"

#include <string.h>
#include "auth/cursor.h"
#include "services/user/name_keys.h"
#include "services/user/profile.h"
#include "services/user/store.h"
#include "services/user/user.h"

sn_status search_index_names(struct db_tx *tx, const char *user_id, const char *display_name)
{
        char *keys[NAME_KEYS_MAX];
        size_t n = name_keys(db_arena(tx), display_name, keys);

        TRY(store_set_names(tx, user_id, keys, n));
        return outbox_put(
            tx, &(struct outbox_event){.type = EVENT_USER_CHANGED, .aggregate_id = user_id, .actor_id = user_id});
}

/* A cursor holds the first bytes of the key after the query, which is usually all of it. */
enum { REST_BYTES = sizeof(int64_t) };

static int64_t rest_of(const char *key, const char *query)
{
        const char *rest = key + strlen(query);
        uint64_t number = 0;
        size_t len = strlen(rest);

        for (size_t i = 0; i < REST_BYTES; i++) {
                number = number << 8 | (i < len ? (uint8_t)rest[i] : 0);
        }
        return (int64_t)number;
}

static char *key_of(struct arena *arena, const char *query, int64_t rest)
{
        char bytes[REST_BYTES + 1] = {0};

        for (size_t i = 0; i < REST_BYTES; i++) {
                bytes[i] = (char)((uint64_t)rest >> (8 * (REST_BYTES - 1 - i)));
        }
        return arena_printf(arena, "%s%s", query, bytes);
}

/* The rest of a longer key is looked up. If no key of the member starts so any more, the member was renamed: then
 * the list continues before all keys with this prefix, since repeating some is better than skipping any. */
static sn_status find_long(struct db_tx *tx, char *known, const char *user_id, struct name_position *out)
{
        size_t len = strlen(known);
        char *key = NULL;

        while (!utf8_valid(known, len)) { /* it may end within a character */
                len--;
        }
        known[len] = '\0';
        TRY(store_name_key(tx, known, user_id, &key));
        *out = key[0] != '\0' ? (struct name_position){key, user_id} : (struct name_position){known, ""};
        return SN_OK;
}

static sn_status find_position(struct db_tx *tx, const char *query, const struct position *last,
                               struct name_position *out)
{
        char *key = key_of(db_arena(tx), query, last->sort_key);

        *out = (struct name_position){"", ""};
        if (last->id[0] == '\0') {
                return SN_OK;
        }
        if (strlen(key) == strlen(query) + REST_BYTES) {
                return find_long(tx, key, last->id, out);
        }
        *out = (struct name_position){key, last->id};
        return SN_OK;
}

static char *cursor_after(struct rpc_call *c, const char *query, const UserRows__FoundUser *last)
{
        struct cursor cursor = {.at.sort_key = rest_of(last->key, query)};

        memcpy(cursor.at.id, last->user->id, UUID_SIZE);
        return cursor_encode(c, query, &cursor);
}

static void show_users(struct rpc_call *c, UserRows__FoundUser *const *found, size_t n, User__UserList *out)
{
        out->items = ARENA_ARRAY(c->arena, User__User *, n);
        out->n_items = n;
        for (size_t i = 0; i < n; i++) {
                out->items[i] = found[i]->user;
                profile_hide_private(c, out->items[i]);
        }
}

sn_status user_handle_find_users(struct rpc_call *c, const User__FindUsersRequest *in, User__UserList *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *query = name_query_key(c->arena, in->query);
        size_t limit = page_limit(in->limit), n = 0;
        UserRows__FoundUser **found = NULL;
        struct name_position position;
        struct cursor last;

        if (query[0] == '\0') {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "query", "must not be empty");
        }
        TRY(cursor_decode(c, query, "cursor", in->cursor, &last));
        TRY(db_read(c, &tx));
        TRY(find_position(tx, query, &last.at, &position));
        TRY(store_find_users(tx, query, &position, limit + 1, &n, &found));
        if (n > limit) {
                n = limit;
                out->next_cursor = cursor_after(c, query, found[n - 1]);
        }
        show_users(c, found, n, out);
        return SN_OK;
}
