/* Owns settling the effects of what was undone while it was being sent. */
#include "services/notification/effects.h"

#include <string.h>
#include "services/notification/events.h"
#include "services/notification/store.h"

/* Notifications with the actors that they had when they were claimed. */
struct claimed {
        NotificationRows__Stored **rows;
        const char **user_ids;
        size_t n;
};

static bool is_shown(const struct outgoing *d, const NotificationRows__Stored *row)
{
        for (size_t i = 0; i < d->n_shown; i++) {
                if (strcmp(d->shown[i]->id, row->notification->id) == 0) {
                        return true;
                }
        }
        return false;
}

static bool can_be_undone(const NotificationRows__Stored *row)
{
        enum notification_type type;

        return type_find(row->notification->type, &type) && events_can_undo(type);
}

static struct claimed collect_claimed(struct arena *arena, const struct outgoing *const *sent, size_t n)
{
        struct claimed out = {.n = 0};
        size_t n_rows = 0;

        for (size_t i = 0; i < n; i++) {
                n_rows += sent[i]->n_claimed;
        }
        out.rows = ARENA_ARRAY(arena, NotificationRows__Stored *, n_rows);
        out.user_ids = ARENA_ARRAY(arena, const char *, n_rows);
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < sent[i]->n_claimed; k++) {
                        if (can_be_undone(sent[i]->claimed[k]) && is_shown(sent[i], sent[i]->claimed[k])) {
                                out.user_ids[out.n] = sent[i]->user_id;
                                out.rows[out.n++] = sent[i]->claimed[k];
                        }
                }
        }
        return out;
}

static sn_status settle_row(struct db_tx *tx, enum channel channel, const struct claimed *c, size_t at)
{
        const NotificationRows__Stored *row = c->rows[at];
        char **users = ARENA_ARRAY(db_arena(tx), char *, row->n_actor_ids);
        char **keys = ARENA_ARRAY(db_arena(tx), char *, row->n_actor_ids);

        for (size_t i = 0; i < row->n_actor_ids; i++) {
                users[i] = (char *)c->user_ids[at];
                keys[i] = row->notification->group_key;
        }
        return store_settle_effects(tx, users, keys, row->actor_ids, row->n_actor_ids, channel);
}

/* Few are undone while they are being sent, so only those are looked at more closely. */
sn_status effects_sent(struct db_tx *tx, enum channel channel, const struct outgoing *const *sent, size_t n)
{
        struct claimed claimed = collect_claimed(db_arena(tx), sent, n);
        char **ids = ARENA_ARRAY(db_arena(tx), char *, claimed.n);
        NotificationRows__Pending **pending = NULL;
        size_t n_pending = 0;

        for (size_t i = 0; i < claimed.n; i++) {
                ids[i] = claimed.rows[i]->notification->id;
        }
        if (claimed.n == 0) {
                return SN_OK;
        }
        TRY(store_pending_effects(tx, ids, claimed.n, &n_pending, &pending));
        for (size_t i = 0; n_pending > 0 && i < claimed.n; i++) {
                for (size_t k = 0; k < n_pending; k++) {
                        if (strcmp(pending[k]->notification_id, ids[i]) == 0) {
                                TRY(settle_row(tx, channel, &claimed, i));
                        }
                }
        }
        return SN_OK;
}
