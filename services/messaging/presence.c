/* Owns presence. Members' devices report it periodically; it is announced by signals, and kept in an unlogged table,
 * which a crash empties. */
#include "services/messaging/presence.h"

#include "bus/signals.h"
#include "services/messaging/people.h"
#include "services/messaging/store_presence.h"

static bool tells(const User__PrivacySettings *of, bool follows)
{
        return of->presence == USER__CORRESPONDENTS__CORRESPONDENTS_EVERYONE ||
               (of->presence == USER__CORRESPONDENTS__CORRESPONDENTS_FOLLOWED && follows);
}

sn_status presence_check(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n, bool **told)
{
        User__PrivacySettings **theirs = NULL, **viewers_own = NULL;
        Follow__Relationship **relations = NULL;

        *told = ARENA_ARRAY(c->arena, bool, n);
        if (n == 0) {
                return SN_OK;
        }
        TRY(people_privacy(c, ids, n, &theirs));
        TRY(people_privacy(c, viewers, n, &viewers_own));
        TRY(people_relations_of(c, viewers, ids, n, &relations));
        for (size_t i = 0; i < n; i++) {
                const Follow__Relationship *r = relations[i];

                (*told)[i] = uuid_equal(viewers[i], ids[i]) ||
                             (!r->blocking && !r->blocked_by && tells(theirs[i], r->followed_by) &&
                              tells(viewers_own[i], r->following));
        }
        return SN_OK;
}

/* Must not be called while the transaction is open, since it would announce what is not committed. */
static void signal_presence(struct rpc_call *c, bool here)
{
        bus_signal(c, &(struct outbox_event){
                          .type = SIGNAL_PRESENCE, .aggregate_id = c->actor, .object_id = c->actor, .version = here});
}

/* Members who do not disclose their presence leave no trace. */
sn_status messaging_handle_put_presence(struct rpc_call *c, const Messaging__PutPresenceRequest *in,
                                        Google__Protobuf__Empty *out)
{
        User__PrivacySettings **privacy = NULL;
        bool tell = false;

        TRY(people_privacy(c, (char *[]){(char *)c->actor}, 1, &privacy));
        if (privacy[0]->presence == USER__CORRESPONDENTS__CORRESPONDENTS_NOBODY) {
                return DB_WRITE(c, tx, presence_store_forget(tx));
        }
        TRY(DB_WRITE(c, tx, presence_store_put(tx, &tell)));
        if (tell) {
                signal_presence(c, true);
        }
        return SN_OK;
}

sn_status messaging_handle_end_presence(struct rpc_call *c, const Messaging__EndPresenceRequest *in,
                                        Google__Protobuf__Empty *out)
{
        bool tell = false;

        TRY(DB_WRITE(c, tx, presence_store_end(tx, &tell)));
        if (tell) {
                signal_presence(c, false);
        }
        return SN_OK;
}

sn_status messaging_handle_list_presence(struct rpc_call *c, const Messaging__ListPresenceRequest *in,
                                         Messaging__PresenceList *out)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, in->n_user_ids), **shown = NULL;
        size_t n_shown = 0;
        bool *told = NULL;

        for (size_t i = 0; i < in->n_user_ids; i++) {
                viewers[i] = (char *)c->actor;
        }
        TRY(presence_check(c, viewers, in->user_ids, in->n_user_ids, &told));
        shown = ARENA_ARRAY(c->arena, char *, in->n_user_ids);
        for (size_t i = 0; i < in->n_user_ids; i++) {
                if (told[i]) {
                        shown[n_shown++] = in->user_ids[i];
                }
        }
        return DB_READ(c, tx, presence_store_list(tx, shown, n_shown, &out->n_items, &out->items));
}
