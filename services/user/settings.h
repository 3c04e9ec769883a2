/* Members' choices: owned by settings.c; all files of the service read them through this. */
#ifndef SERVICES_USER_SETTINGS_H
#define SERVICES_USER_SETTINGS_H

#include "db/db.h"
#include "services/user/user_settings.rpc.h"

/* All settings of a member, with defaults where nothing is stored, into an initialised message. */
SN_CHECKED sn_status settings_read(struct db_tx *tx, const char *user_id, User__Settings *out);

#endif
