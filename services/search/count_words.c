/* The job that counts changes of words (search_merge_words of the schema), every few seconds for all notes since. */
#include "services/jobs.h"
#include "services/search/store.h"

static sn_status count_words(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, store_merge_words(tx));
}

const struct service_job search_count_words = {.name = "count_words", .every_s = 5, .run = count_words};
