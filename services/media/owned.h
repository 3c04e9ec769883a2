/* Reading and deleting a media of a member. */
#ifndef SERVICES_MEDIA_OWNED_H
#define SERVICES_MEDIA_OWNED_H

#include "db/db.h"
#include "services/media/media.rpc.h"

/* Of the actor, as they are shown it. SN_NOT_FOUND when they have none. */
SN_CHECKED sn_status owned_read(struct db_tx *tx, const char *id, Media__Media *out);
/* With its variants, wherever it is shown; the last one of a content is counted no more. SN_NOT_FOUND when they have
 * none. */
SN_CHECKED sn_status owned_delete(struct db_tx *tx, const char *id, const char *owner_id);

#endif
