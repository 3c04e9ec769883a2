/* Owns appending numbered entries to a chat's log. */
#include "services/messaging/log.h"

#include <string.h>
#include <time.h>
#include "services/messaging/recent_messages.h"
#include "services/messaging/store_log.h"
#include "services/timestamp.h"

static const char *const events[] = {
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE] = EVENT_MESSAGE_CREATED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_JOINED] = EVENT_MEMBER_JOINED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_LEFT] = EVENT_MEMBER_LEFT,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_EDITED] = EVENT_MESSAGE_EDITED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_DELETED] = EVENT_MESSAGE_DELETED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_REACTED] = EVENT_MESSAGE_REACTED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_UNREACTED] = EVENT_MESSAGE_UNREACTED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_PINNED] = EVENT_MESSAGE_PINNED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_UNPINNED] = EVENT_MESSAGE_UNPINNED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_CHAT] = EVENT_CHAT_CHANGED,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_ROLE] = EVENT_MEMBER_ROLE,
    [MESSAGING__CHANGE_KIND__CHANGE_KIND_ENDED] = EVENT_CHAT_ENDED,
};

/* Clocks of several processes differ, but a log never goes back to an earlier month. The first twelve hex digits of a
 * version 7 UUID are its time. */
static char *new_id(struct arena *arena, int64_t not_before_ms)
{
        char *id = uuid_new_in(arena), at[UUID_SIZE];

        if (uuid_time_ms(id) < not_before_ms) {
                memcpy(id, uuid_at_ms(not_before_ms, at), strlen("01234567-89ab"));
        }
        return id;
}

sn_status log_new(struct db_tx *tx, const chat_member *member, int kind, chat_entry *entry)
{
        messaging_rows__entry__init(entry);
        entry->id = new_id(db_arena(tx), member->last_ms);
        entry->chat_id = member->chat_id;
        entry->sender_id = db_call(tx)->actor[0] != '\0' ? (char *)db_call(tx)->actor : NOBODY;
        entry->kind = kind;
        return SN_OK;
}

static int month_of(int64_t ms)
{
        time_t at = (time_t)(ms / 1000);
        struct tm tm = {0};

        (void)gmtime_r(&at, &tm);
        return tm.tm_year * 12 + tm.tm_mon;
}

/* The chat is locked, so its next number is known before the entry is stored, without waiting for the database. */
static void assign_number(struct db_tx *tx, const chat_member *member, chat_entry *entry)
{
        int64_t at_ms = uuid_time_ms(entry->id);

        entry->seq = member->last_seq + 1;
        entry->n = member->last_n + (entry->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE);
        entry->created_at = timestamp_new(db_arena(tx), at_ms);
        if (entry->expires_in_s > 0) {
                entry->expires_at = timestamp_new(db_arena(tx), at_ms + entry->expires_in_s * 1000);
        }
}

sn_status log_append(struct db_tx *tx, chat_member *member, chat_entry *entry)
{
        int64_t at_ms = uuid_time_ms(entry->id);

        assign_number(tx, member, entry);
        TRY(chat_store_append(tx, entry));
        if (member->last_seq == 0 || month_of(at_ms) != month_of(member->last_ms)) {
                TRY(chat_store_begin_month(tx, entry));
        }
        if (entry->target_id[0] != '\0') {
                recent_messages_forget(tx, entry->target_id);
        }
        member->last_seq = entry->seq;
        member->last_n = entry->n;
        member->last_ms = at_ms;
        return outbox_put(tx, &(struct outbox_event){.type = events[entry->kind],
                                                     .aggregate_id = entry->chat_id,
                                                     .object_id = entry->id,
                                                     .version = entry->seq});
}

sn_status log_add(struct db_tx *tx, chat_member *member, int kind, const char *target_id, const char *text,
                  chat_entry *entry)
{
        TRY(log_new(tx, member, kind, entry));
        entry->target_id = (char *)target_id;
        entry->text = (char *)text;
        return log_append(tx, member, entry);
}
