/* Owns the chats of which this process knows what never changes. */
#include "services/messaging/known_chats.h"

#include <pthread.h>
#include <string.h>

struct known {
        char chat_id[UUID_SIZE];    /* "": none */
        char members[2][UUID_SIZE]; /* of a direct chat */
        int kind;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct known known[KNOWN_CHATS]; /* a chat has one place */

static struct known *place_of(const char *chat_id)
{
        uint32_t hash = 2166136261u; /* FNV-1a */

        for (const char *at = chat_id; *at != '\0'; at++) {
                hash = (hash ^ (uint8_t)*at) * 16777619u;
        }
        return &known[hash % KNOWN_CHATS];
}

void known_chats_keep(const chat_member *member)
{
        struct known *place = place_of(member->chat_id);

        (void)pthread_mutex_lock(&lock);
        memcpy(place->chat_id, member->chat_id, UUID_SIZE);
        place->kind = member->kind;
        if (member->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                memcpy(place->members[0], member->user_id, UUID_SIZE);
                memcpy(place->members[1], member->peer_id, UUID_SIZE);
        }
        (void)pthread_mutex_unlock(&lock);
}

/* NULL: not a chat of this member. */
static const char *peer_in(const struct known *chat, const char *user_id)
{
        if (chat->kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                return "";
        }
        if (strcmp(chat->members[0], user_id) == 0) {
                return chat->members[1];
        }
        return strcmp(chat->members[1], user_id) == 0 ? chat->members[0] : NULL;
}

bool known_chats_find(struct arena *arena, const char *chat_id, const char *user_id, chat_member *member)
{
        (void)pthread_mutex_lock(&lock);
        struct known chat = *place_of(chat_id);
        (void)pthread_mutex_unlock(&lock);
        bool is_known = chat_id[0] != '\0' && strcmp(chat.chat_id, chat_id) == 0;
        const char *peer = is_known ? peer_in(&chat, user_id) : NULL;

        if (peer != NULL) {
                member->chat_id = arena_strdup(arena, chat_id);
                member->user_id = arena_strdup(arena, user_id);
                member->peer_id = arena_strdup(arena, peer);
                member->kind = chat.kind;
        }
        return peer != NULL;
}
