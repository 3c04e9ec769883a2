/* Erases deleted members: their notifications, and their appearance as actors in those of others. */
#include "services/notification/notification.h"

#include <stdio.h>
#include "mail/mail.h"
#include "services/notification/store.h"
#include "services/user/user.rpc.h"

enum { ROWS_AT_ONCE = 2000 };

/* Erases one batch of one member. The cursor only records that there was a batch; a retry finds what is left. */
static sn_status erase_batch(struct rpc_call *c, struct bus_batch *batch)
{
        const char *id = batch->events[0]->aggregate_id;
        int64_t told = 0, done = 0, watchers = 0, logs = 0;
        bool more = false;

        TRY(DB_WRITE(c, tx, store_erase_told(tx, id, ROWS_AT_ONCE, &told)));
        TRY(DB_WRITE(c, tx, store_erase_actor(tx, id, ROWS_AT_ONCE, &done)));
        TRY(DB_WRITE(c, tx, store_erase_watchers(tx, id, ROWS_AT_ONCE, &watchers)));
        TRY(DB_WRITE(c, tx, store_erase_logs(tx, id, ROWS_AT_ONCE, &logs)));
        TRY(DB_WRITE(c, tx, store_erase_choices(tx, id)));
        TRY(DB_WRITE(c, tx, mail_forget(tx, id)));
        more = told >= ROWS_AT_ONCE || done >= ROWS_AT_ONCE || watchers >= ROWS_AT_ONCE || logs >= ROWS_AT_ONCE;
        batch->n_done = more ? 0 : 1;
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s", more ? uuid_new_in(c->arena) : "");
        return SN_OK;
}

static const char *const types[] = {"user.erased", NULL};

const struct bus_consumer notification_erase = {
    .name = "erase",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = erase_batch,
};
