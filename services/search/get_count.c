/* The public method of search_service. */
#include "services/search/search.h"

#include "db/db.h"
#include "services/search/store.h"

sn_status search_handle_get_count(struct rpc_call *c, const Search__GetCountRequest *in, Search__Count *out)
{
        return DB_READ(c, tx, search_store_count(tx, in->user_id, out));
}
