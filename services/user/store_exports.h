/* The SQL on archives. */
#ifndef SERVICES_USER_STORE_EXPORTS_H
#define SERVICES_USER_STORE_EXPORTS_H

#include "db/db.h"
#include "services/user/user_exports.rpc.h"
#include "services/user/user_rows.rpc.h"

/* The member's unexpired export; without an ID if there is none. */
SN_CHECKED sn_status store_export_of(struct db_tx *tx, const char *user_id, UserExports__Export *out);
/* Starts one, if the member has none. */
SN_CHECKED sn_status store_begin_export(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_drop_export(struct db_tx *tx, const char *user_id, const char *id);

/* The one that has waited longest for its next part, moved to the end of the queue; without an ID if there is none. */
SN_CHECKED sn_status store_next_export(struct db_tx *tx, UserRows__ExportTask *out);
/* Discards what was read of it. */
SN_CHECKED sn_status store_restart_export(struct db_tx *tx, const char *id);
/* Adds its next part, with the start of the one after that; added false: another worker did, or it was dropped. */
SN_CHECKED sn_status store_add_export_part(struct db_tx *tx, const UserRows__ExportTask *task, int64_t progress,
                                           const char *data, size_t len, bool *added);
SN_CHECKED sn_status store_finish_export(struct db_tx *tx, const char *id, int64_t days, int64_t *expires_s);
/* An expired one. */
SN_CHECKED sn_status store_drop_expired_export(struct db_tx *tx, bool *dropped);

/* How many parts the export has, for its link; 0: missing, incomplete, or its account is deactivated. */
SN_CHECKED sn_status store_export_parts(struct db_tx *tx, const char *id, int64_t *parts, const char **username);
SN_CHECKED sn_status store_export_part(struct db_tx *tx, const char *id, int64_t position, const uint8_t **data,
                                       size_t *len);

#endif
