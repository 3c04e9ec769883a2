/* Reading and deleting members' own media. */
#ifndef SERVICES_MEDIA_OWNED_H
#define SERVICES_MEDIA_OWNED_H

#include "db/db.h"
#include "services/media/media.rpc.h"

/* Loads a media of the actor, as its owner sees it. SN_NOT_FOUND if the actor has no such media. */
SN_CHECKED sn_status owned_read(struct db_tx *tx, const char *id, Media__Media *out);
/* Deletes it with its variants, even where it is shown. Deleting the last media with a content releases its quota.
 * SN_NOT_FOUND if the owner has no such media. */
SN_CHECKED sn_status owned_delete(struct db_tx *tx, const char *id, const char *owner_id);

#endif
