/* Owns choosing the version of a message that a member may read. */
#include "services/messaging/versions.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "services/messaging/membership.h"
#include "services/messaging/store_changes.h"

int64_t versions_end(const chat_member *member)
{
        return membership_is_present(member) ? INT64_MAX : membership_last_seen(member, member->last_seq);
}

static bool may_differ(const chat_member *member, const chat_entry *entry)
{
        return member != NULL && !membership_is_present(member) && entry->edited_at != NULL && !entry->deleted;
}

static chat_entry *find_older(struct arena *arena, const chat_entry *entry, MessagingRows__OldVersion *version)
{
        chat_entry *copy = ARENA_NEW(arena, chat_entry);
        bool is_first =
            version->since->seconds == entry->created_at->seconds && version->since->nanos == entry->created_at->nanos;

        *copy = *entry;
        copy->text = version->text;
        copy->edited_at = is_first ? NULL : version->since;
        return copy;
}

sn_status versions_choose(struct rpc_call *c, const chat_member *const *members, chat_entry **entries, size_t n)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        int64_t *ends = ARENA_ARRAY(c->arena, int64_t, n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_asked = 0, n_rows = 0;
        MessagingRows__OldVersion **rows = NULL;

        for (size_t i = 0; i < n; i++) {
                if (may_differ(members[i], entries[i])) {
                        ids[n_asked] = entries[i]->id;
                        ends[n_asked] = versions_end(members[i]);
                        places[n_asked++] = i;
                }
        }
        if (n_asked == 0) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, chat_store_versions_at(tx, ids, ends, n_asked, &n_rows, &rows)));
        for (size_t i = 0; i < n_rows; i++) {
                chat_entry **entry = &entries[places[rows[i]->place]];

                *entry = find_older(c->arena, *entry, rows[i]);
        }
        return SN_OK;
}
