/* Owns typing indicators. They are sent as signals, and kept for six seconds in an unlogged table for clients that poll
 * or miss signals. */
#include "services/messaging/messaging.h"

#include "bus/signals.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/store_typing.h"

/* Signals after the transaction, so that nothing is announced before it is committed. */
sn_status messaging_handle_put_typing(struct rpc_call *c, const Messaging__PutTypingRequest *in,
                                      Google__Protobuf__Empty *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        bool tell = false;

        TRY(membership_read_present(c, in->id, &member));
        TRY(membership_check_writes(c, &member));
        TRY(people_check_not_blocked(c, &member));
        TRY(DB_WRITE(c, tx, typing_store_put(tx, in->id, &tell)));
        if (tell) {
                bus_signal(c, &(struct outbox_event){
                                  .type = SIGNAL_TYPING, .aggregate_id = member.chat_id, .object_id = member.user_id});
        }
        return SN_OK;
}

/* Typing is not shown across a block. */
sn_status messaging_handle_list_typing(struct rpc_call *c, const Messaging__ListTypingRequest *in,
                                       Messaging__TypingList *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        User__Author **people = NULL;
        char **ids = NULL;
        size_t n = 0;
        bool blocked = false;

        TRY(membership_read_present(c, in->id, &member));
        TRY(people_is_blocked(c, &member, &blocked));
        TRY(blocked ? SN_OK : DB_READ(c, tx, typing_store_list(tx, in->id, &n, &ids)));
        TRY(people_get(c, ids, n, &people));
        out->items = ARENA_ARRAY(c->arena, User__Author *, n);
        for (size_t i = 0; i < n; i++) {
                if (people[i] != NULL) {
                        out->items[out->n_items++] = people[i];
                }
        }
        return SN_OK;
}
