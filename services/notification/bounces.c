/* Handles bounced mails: no more notifications are mailed to the address, and its owner is notified in the list and by
 * push. */
#include "services/notification/notification.h"

#include <string.h>
#include "mail/mail.h"
#include "services/notification/arrivals.h"
#include "services/notification/store.h"

enum { EVERY_S = 30, AT_ONCE = 100 };
#define NOBODY "00000000-0000-0000-0000-000000000000" /* owner of test mails sent by an operator */

struct bounces {
        struct mail_bounce *items;
        size_t n;
};

static void collect_bounces(struct arrivals *a, const struct bounces *b)
{
        for (size_t i = 0; i < b->n; i++) {
                if (strcmp(b->items[i].owner_id, NOBODY) != 0) {
                        arrivals_add(a, &(struct arrival){
                                            .user_id = b->items[i].owner_id,
                                            .actor_id = b->items[i].owner_id,
                                            .type = TYPE_MAIL_BOUNCED,
                                            .group_key = arrival_key(a->c->arena, TYPE_MAIL_BOUNCED, b->items[i].id),
                                            .note_id = "",
                                            .root_id = "",
                                            .at_ms = a->c->now_ms,
                                            .event = i});
                }
        }
}

/* Notifies once per address, however many mails to it bounced. */
static sn_status suppress_and_notify(struct db_tx *tx, struct arrivals *a, const struct bounces *b)
{
        for (size_t i = 0; i < a->n; i++) {
                const struct mail_bounce *bounce = &b->items[a->items[i].event];
                bool fresh = false;

                TRY(store_suppress(tx, bounce->owner_id, bounce->recipient_key, bounce->error, &fresh));
                if (!fresh) {
                        a->items[i].decision.box = BOX_NOWHERE;
                }
        }
        TRY(arrivals_store(a, tx, 0));
        return mail_settle_bounces(tx, b->items, b->n);
}

static sn_status process_bounces(struct rpc_call *c, bool *more)
{
        struct bounces b = {.n = 0};
        struct arrivals a;

        TRY(DB_READ(c, tx, mail_list_bounces(tx, AT_ONCE, &b.items, &b.n)));
        if (b.n == 0) {
                return SN_OK;
        }
        arrivals_start(&a, c);
        collect_bounces(&a, &b);
        TRY(arrivals_decide(&a));
        *more = b.n == AT_ONCE;
        return DB_WRITE(c, tx, suppress_and_notify(tx, &a, &b));
}

const struct service_job notification_bounces = {.name = "take_bounces", .every_s = EVERY_S, .run = process_bounces};
