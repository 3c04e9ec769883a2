/* The SQL on archives. */
#ifndef SERVICES_USER_STORE_EXPORTS_H
#define SERVICES_USER_STORE_EXPORTS_H

#include "db/db.h"
#include "services/user/user_exports.rpc.h"
#include "services/user/user_rows.rpc.h"

/* The member's archive that has not expired; without an id when there is none. */
SN_CHECKED sn_status store_export_of(struct db_tx *tx, const char *user_id, UserExports__Export *out);
/* Begins one, when the member has none. */
SN_CHECKED sn_status store_begin_export(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_drop_export(struct db_tx *tx, const char *user_id, const char *id);

/* The one that waited longest for its next part, which waits anew from now on; without an id when there is none. */
SN_CHECKED sn_status store_next_export(struct db_tx *tx, UserRows__ExportTask *out);
/* What was read of it is thrown away. */
SN_CHECKED sn_status store_restart_export(struct db_tx *tx, const char *id);
/* Its next part, with where the one after that begins; added false: somebody else did that, or it was dropped. */
SN_CHECKED sn_status store_add_export_part(struct db_tx *tx, const UserRows__ExportTask *task, int64_t progress,
                                           const char *data, size_t len, bool *added);
SN_CHECKED sn_status store_finish_export(struct db_tx *tx, const char *id, int64_t days, int64_t *expires_s);
/* One that has expired. */
SN_CHECKED sn_status store_drop_expired_export(struct db_tx *tx, bool *dropped);

/* How many parts the archive has, for whoever has its link; 0: it is not there, not whole, or its account is
 * deactivated. */
SN_CHECKED sn_status store_export_parts(struct db_tx *tx, const char *id, int64_t *parts, const char **username);
SN_CHECKED sn_status store_export_part(struct db_tx *tx, const char *id, int64_t position, const uint8_t **data,
                                       size_t *len);

#endif
