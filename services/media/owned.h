/* Reading and deleting a media of a member. */
#ifndef SERVICES_MEDIA_OWNED_H
#define SERVICES_MEDIA_OWNED_H

#include "db/db.h"
#include "services/media/media.rpc.h"

/* A media of the actor, as its owner sees it. SN_NOT_FOUND when they do not have it. */
SN_CHECKED sn_status owned_read(struct db_tx *tx, const char *id, Media__Media *out);
/* Deletes it with its variants, wherever it is shown; with the last media of a content its quota is released.
 * SN_NOT_FOUND when the actor does not have it. */
SN_CHECKED sn_status owned_delete(struct db_tx *tx, const char *id, const char *owner_id);

#endif
