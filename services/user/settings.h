/* What a member chose: settings.c owns it, every file of the service reads it here. */
#ifndef SERVICES_USER_SETTINGS_H
#define SERVICES_USER_SETTINGS_H

#include "db/db.h"
#include "services/user/user_settings.rpc.h"

/* All settings of a member, with the defaults where nothing else was chosen, into an initialised message. */
SN_CHECKED sn_status settings_read(struct db_tx *tx, const char *user_id, User__Settings *out);

#endif
