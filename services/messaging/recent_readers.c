/* Owns the readers of the newest messages of this process. */
#include "services/messaging/recent_readers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "services/messaging/store_participants.h"

struct readers {
        char message_id[UUID_SIZE];
        size_t n;
        char (*ids)[UUID_SIZE];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct readers recent[RECENT_MESSAGES]; /* a ring buffer */
static size_t newest;

void recent_readers_keep(const char *message_id, char *const *ids, size_t n)
{
        char(*copies)[UUID_SIZE] = malloc((n > 0 ? n : 1) * sizeof(*copies));

        if (copies == NULL) {
                return;
        }
        for (size_t i = 0; i < n; i++) {
                memcpy(copies[i], ids[i], UUID_SIZE);
        }
        (void)pthread_mutex_lock(&lock);
        newest = (newest + 1) % RECENT_MESSAGES;
        free(recent[newest].ids);
        recent[newest] = (struct readers){.n = n, .ids = copies};
        memcpy(recent[newest].message_id, message_id, UUID_SIZE);
        (void)pthread_mutex_unlock(&lock);
}

/* From the newest on: a message is routed soon after it was committed. */
static const struct readers *find_message(const char *message_id)
{
        for (size_t i = 0; i < RECENT_MESSAGES; i++) {
                const struct readers *readers = &recent[(newest + RECENT_MESSAGES - i) % RECENT_MESSAGES];

                if (readers->ids != NULL && strcmp(readers->message_id, message_id) == 0) {
                        return readers;
                }
        }
        return NULL;
}

bool recent_readers_find(struct arena *arena, const char *message_id, size_t *n, char ***ids)
{
        (void)pthread_mutex_lock(&lock);
        const struct readers *readers = find_message(message_id);

        if (readers != NULL) {
                *n = readers->n;
                *ids = ARENA_ARRAY(arena, char *, readers->n);
                for (size_t i = 0; i < readers->n; i++) {
                        (*ids)[i] = arena_strdup(arena, readers->ids[i]);
                }
        }
        (void)pthread_mutex_unlock(&lock);
        return readers != NULL;
}

/* What is kept after the COMMIT. */
struct noted {
        const char *message_id;
        char *both[2];        /* of a direct chat */
        struct db_rows *rows; /* of another one */
};

static void keep_noted(void *context)
{
        const struct noted *noted = context;
        char *ids[TOLD_MAX];
        size_t n = 0;

        if (noted->rows == NULL) {
                recent_readers_keep(noted->message_id, noted->both, 2);
                return;
        }
        for (; n < TOLD_MAX && n < db_rows_count(noted->rows); n++) {
                ids[n] = (char *)db_text(noted->rows, n, "user_id");
        }
        if (n == db_rows_count(noted->rows)) {
                recent_readers_keep(noted->message_id, ids, n);
        }
}

sn_status recent_readers_note(struct db_tx *tx, const chat_entry *entry, const chat_member *sender)
{
        struct noted *noted = ARENA_NEW(db_arena(tx), struct noted);

        if (sender->members > TOLD_MAX) {
                return SN_OK;
        }
        *noted = (struct noted){.message_id = entry->id, .both = {sender->user_id, sender->peer_id}};
        db_on_commit(tx, keep_noted, noted);
        return sender->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT
                   ? SN_OK
                   : chat_store_readers_later(tx, entry->chat_id, entry->seq, TOLD_MAX + 1, &noted->rows);
}
