/* Merges the pending list of the word index, which every search has to scan, into the index. */
#include "services/messaging/messaging.h"

#include <stdatomic.h>
#include "services/messaging/store_search.h"

#define WAITING_MOST 128 /* pending messages of this process; each search scans them once per chat */

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
