/* Creating a media from a file: the last step of both forms and uploads. */
#ifndef SERVICES_MEDIA_CREATE_H
#define SERVICES_MEDIA_CREATE_H

#include "services/media/blobs.h"
#include "services/media/sniff.h"
#include "services/media/store.h"

/* Converts -1 … 1 to millionths. SN_INVALID_ARGUMENT on the field if it is out of range. */
SN_CHECKED sn_status focus_of(struct rpc_call *c, const char *field, double value, int32_t *out);

/* SN_INVALID_ARGUMENT, code file_too_large (413), if size exceeds MEDIA_FILE_BYTES. */
SN_CHECKED sn_status media_check_size(struct rpc_call *c, int64_t size);

/* Charges the owner's quota (once per content), publishes the blob and writes the row. */
SN_CHECKED sn_status create_media(struct db_tx *tx, const struct staged_blob *blob, const struct new_media *media);

#endif
