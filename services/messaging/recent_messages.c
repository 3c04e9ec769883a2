/* Owns the newest messages of this process, and the readers of the chats that they were sent to.
 *
 * Who may read the new entries of a group or channel changes only by entries of its log (somebody joins or leaves). So
 * the readers of a message are those of the entry before it, whichever process has written that one, and a list that is
 * known for the previous number needs no query. In direct chats a declined chat changes it without an entry: there it
 * is read with the sender's row. */
#include "services/messaging/recent_messages.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "services/messaging/store_participants.h"

/* Shared by a chat and its messages. */
struct readers {
        size_t users; /* protected by the lock */
        size_t n;
        char ids[][UUID_SIZE];
};

struct kept {
        char id[UUID_SIZE]; /* "": none */
        int chat_kind;
        int64_t at_us;
        struct readers *readers;
        size_t len;
        uint8_t *packed; /* the entry; NULL: not kept, or dropped */
};

struct known_readers {
        char chat_id[UUID_SIZE];
        int64_t seq; /* the entry whose readers they are */
        struct readers *readers;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept recent[RECENT_MESSAGES]; /* a ring buffer */
static size_t newest;
static struct known_readers chats[RECENT_CHATS]; /* a chat has one place */

/* ---- Lists of readers ---- */

static struct readers *new_readers(char *const *ids, size_t n)
{
        struct readers *readers = malloc(sizeof(*readers) + n * UUID_SIZE);

        if (readers == NULL) {
                abort();
        }
        readers->users = 1;
        readers->n = n;
        for (size_t i = 0; i < n; i++) {
                memcpy(readers->ids[i], ids[i], UUID_SIZE);
        }
        return readers;
}

static struct readers *use_readers(struct readers *readers)
{
        readers->users++;
        return readers;
}

static void release_readers(struct readers *readers)
{
        if (readers != NULL && --readers->users == 0) {
                free(readers);
        }
}

static char **copy_readers(struct arena *arena, const struct readers *readers)
{
        char **ids = ARENA_ARRAY(arena, char *, readers->n);
        char *copy = arena_alloc(arena, readers->n * UUID_SIZE + 1);

        memcpy(copy, readers->ids, readers->n * UUID_SIZE);
        for (size_t i = 0; i < readers->n; i++) {
                ids[i] = copy + i * UUID_SIZE;
        }
        return ids;
}

/* ---- Chats, with the lock held ---- */

static struct known_readers *place_of(const char *chat_id)
{
        uint32_t hash = 2166136261u; /* FNV-1a */

        for (const char *at = chat_id; *at != '\0'; at++) {
                hash = (hash ^ (uint8_t)*at) * 16777619u;
        }
        return &chats[hash % RECENT_CHATS];
}

/* COMMITs return in any order. */
static void set_known(const chat_entry *entry, struct readers *readers)
{
        struct known_readers *place = place_of(entry->chat_id);
        bool newer = strcmp(place->chat_id, entry->chat_id) != 0 || place->seq < entry->seq;

        if (newer) {
                struct readers *before = place->readers;

                memcpy(place->chat_id, entry->chat_id, UUID_SIZE);
                place->seq = entry->seq;
                place->readers = use_readers(readers);
                release_readers(before);
        }
}

/* NULL: not known. */
static struct readers *find_known(const char *chat_id, int64_t seq)
{
        struct known_readers *place = place_of(chat_id);

        return strcmp(place->chat_id, chat_id) == 0 && place->seq == seq ? place->readers : NULL;
}

/* ---- Messages, with the lock held ---- */

/* From the newest on: a message is routed soon after it was committed. */
static struct kept *find_kept(const char *message_id)
{
        for (size_t i = 0; i < RECENT_MESSAGES && message_id[0] != '\0'; i++) {
                struct kept *kept = &recent[(newest + RECENT_MESSAGES - i) % RECENT_MESSAGES];

                if (strcmp(kept->id, message_id) == 0) {
                        return kept;
                }
        }
        return NULL;
}

static void drop_packed(struct kept *kept)
{
        free(kept->packed);
        kept->packed = NULL;
}

static void pack_entry(struct kept *kept, const chat_entry *entry)
{
        kept->len = protobuf_c_message_get_packed_size(&entry->base);
        kept->packed = kept->len <= RECENT_BYTES_MAX ? malloc(kept->len) : NULL;
        if (kept->packed != NULL) {
                (void)protobuf_c_message_pack(&entry->base, kept->packed);
        }
}

static chat_entry *unpack_entry(struct arena *arena, const struct kept *kept)
{
        return (chat_entry *)protobuf_c_message_unpack(&messaging_rows__entry__descriptor,
                                                       arena_protobuf_allocator(arena), kept->len, kept->packed);
}

/* In place of the oldest one. */
static void keep(const char *message_id, const chat_entry *entry, int chat_kind, struct readers *readers)
{
        newest = (newest + 1) % RECENT_MESSAGES;
        struct kept *kept = &recent[newest];

        release_readers(kept->readers);
        drop_packed(kept);
        *kept = (struct kept){.chat_kind = chat_kind, .at_us = clock_monotonic_us(), .readers = use_readers(readers)};
        memcpy(kept->id, message_id, UUID_SIZE);
        if (entry != NULL) {
                pack_entry(kept, entry);
        }
}

/* ---- Keeping and finding ---- */

void recent_messages_keep(const char *message_id, const chat_entry *entry, int chat_kind, char *const *ids, size_t n)
{
        struct readers *readers = new_readers(ids, n);

        (void)pthread_mutex_lock(&lock);
        keep(message_id, entry, chat_kind, readers);
        release_readers(readers);
        (void)pthread_mutex_unlock(&lock);
}

void recent_messages_drop(const char *message_id)
{
        (void)pthread_mutex_lock(&lock);
        struct kept *kept = find_kept(message_id);

        if (kept != NULL) {
                drop_packed(kept);
        }
        (void)pthread_mutex_unlock(&lock);
}

bool recent_messages_find_readers(struct arena *arena, const char *message_id, size_t *n, char ***ids)
{
        (void)pthread_mutex_lock(&lock);
        const struct kept *kept = find_kept(message_id);

        if (kept != NULL) {
                *n = kept->readers->n;
                *ids = copy_readers(arena, kept->readers);
        }
        (void)pthread_mutex_unlock(&lock);
        return kept != NULL;
}

static bool is_shown(const struct kept *kept)
{
        return kept != NULL && kept->packed != NULL &&
               clock_monotonic_us() - kept->at_us < RECENT_SHOWN_MS * INT64_C(1000);
}

bool recent_messages_find(struct arena *arena, const char *message_id, struct recent_message *out)
{
        (void)pthread_mutex_lock(&lock);
        const struct kept *kept = find_kept(message_id);
        bool found = is_shown(kept);

        if (found) {
                *out = (struct recent_message){.entry = unpack_entry(arena, kept),
                                               .chat_kind = kept->chat_kind,
                                               .n_readers = kept->readers->n,
                                               .readers = copy_readers(arena, kept->readers)};
        }
        (void)pthread_mutex_unlock(&lock);
        return found && out->entry != NULL;
}

static int compare_reader(const void *key, const void *item)
{
        return strcmp(key, *(char *const *)item);
}

bool recent_message_is_read_by(const struct recent_message *message, const char *user_id)
{
        return message->n_readers > 0 &&
               bsearch(user_id, message->readers, message->n_readers, sizeof(char *), compare_reader) != NULL;
}

/* ---- In transactions ---- */

/* What is kept after the COMMIT. */
struct noted {
        const chat_entry *entry;
        int chat_kind;
        bool plain;
        char *both[2]; /* the readers of a direct chat */
        size_t n_both;
        struct readers *known; /* those of the entry before it */
        struct db_rows *rows;  /* otherwise */
};

/* NULL: too many. */
static struct readers *readers_of(const struct noted *noted)
{
        size_t n = noted->rows != NULL ? db_rows_count(noted->rows) : 0;
        char *ids[RECENT_READERS_MAX];

        if (noted->rows == NULL) {
                return new_readers(noted->both, noted->n_both);
        }
        if (n > RECENT_READERS_MAX) {
                return NULL;
        }
        for (size_t i = 0; i < n; i++) {
                ids[i] = (char *)db_text(noted->rows, i, "user_id");
        }
        return new_readers(ids, n);
}

static void keep_noted(void *context)
{
        const struct noted *noted = context;
        struct readers *readers = noted->known == NULL ? readers_of(noted) : NULL;

        (void)pthread_mutex_lock(&lock);
        readers = noted->known != NULL ? use_readers(noted->known) : readers;
        if (readers != NULL) {
                keep(noted->entry->id, noted->plain ? noted->entry : NULL, noted->chat_kind, readers);
                if (noted->chat_kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                        set_known(noted->entry, readers);
                }
                release_readers(readers);
        }
        (void)pthread_mutex_unlock(&lock);
}

static void release_known(void *context)
{
        (void)pthread_mutex_lock(&lock);
        release_readers(((struct noted *)context)->known);
        (void)pthread_mutex_unlock(&lock);
}

static void note_both(struct noted *noted, const chat_member *sender)
{
        bool peer_first = strcmp(sender->peer_id, sender->user_id) < 0;

        if (!sender->peer_sees) {
                noted->both[noted->n_both++] = sender->user_id;
                return;
        }
        noted->both[0] = peer_first ? sender->peer_id : sender->user_id;
        noted->both[1] = peer_first ? sender->user_id : sender->peer_id;
        noted->n_both = 2;
}

/* Queries them only if they are not known. */
static sn_status note_all(struct db_tx *tx, struct noted *noted)
{
        (void)pthread_mutex_lock(&lock);
        struct readers *known = find_known(noted->entry->chat_id, noted->entry->seq - 1);

        noted->known = known != NULL ? use_readers(known) : NULL;
        (void)pthread_mutex_unlock(&lock);
        db_on_end(tx, release_known, noted);
        return noted->known != NULL ? SN_OK
                                    : chat_store_readers_later(tx, noted->entry->chat_id, noted->entry->seq,
                                                               RECENT_READERS_MAX + 1, &noted->rows);
}

sn_status recent_messages_note(struct db_tx *tx, chat_entry *entry, const chat_member *sender, bool plain)
{
        struct noted *noted = ARENA_NEW(db_arena(tx), struct noted);

        if (sender->members > RECENT_READERS_MAX) {
                return SN_OK;
        }
        *noted = (struct noted){.entry = entry, .chat_kind = sender->kind, .plain = plain};
        db_on_commit(tx, keep_noted, noted);
        if (sender->kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                return note_all(tx, noted);
        }
        note_both(noted, sender);
        return SN_OK;
}

static void drop_noted(void *context)
{
        recent_messages_drop(context);
}

void recent_messages_forget(struct db_tx *tx, const char *message_id)
{
        db_on_commit(tx, drop_noted, (void *)message_id);
}
