/* The public method of media_service. */
#include "services/media/media.h"

#include "db/db.h"
#include "services/media/store.h"

sn_status media_handle_get_count(struct rpc_call *c, const Media__GetCountRequest *in, Media__Count *out)
{
        return DB_READ(c, tx, media_store_count(tx, in->user_id, out));
}
