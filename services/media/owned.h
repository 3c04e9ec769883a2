/* Deleting a media of a member. */
#ifndef SERVICES_MEDIA_OWNED_H
#define SERVICES_MEDIA_OWNED_H

#include "db/db.h"

/* With its variants, wherever it is shown; the last one of a content is counted no more. SN_NOT_FOUND when they have
 * none. */
SN_CHECKED sn_status owned_delete(struct db_tx *tx, const char *id, const char *owner_id);

#endif
