/* Puts the words of messages where searches find them without reading the list in which they wait. */
#include "services/messaging/messaging.h"

#include <stdatomic.h>
#include "services/messaging/store_search.h"

#define WAITING_MOST 128 /* messages of this process; a search reads them all, once for each chat */

static sn_status index_waiting(struct rpc_call *c, bool *more)
{
        *more = false;
        return DB_WRITE(c, tx, search_store_index(tx));
}

const struct service_job messaging_index_words = {.name = "index_words", .every_s = 3600, .run = index_waiting};

void index_words_announce(struct db_tx *tx)
{
        static atomic_uint waiting;

        if ((atomic_fetch_add(&waiting, 1) + 1) % WAITING_MOST == 0) {
                jobs_announce(tx, &messaging_index_words);
        }
}
