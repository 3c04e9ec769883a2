/* A file becomes a media: the end of both ways in, forms and uploads. */
#ifndef SERVICES_MEDIA_CREATE_H
#define SERVICES_MEDIA_CREATE_H

#include "services/media/blobs.h"
#include "services/media/sniff.h"
#include "services/media/store.h"

/* -1 … 1 in millionths; SN_INVALID_ARGUMENT on the field when out of range. */
SN_CHECKED sn_status focus_of(struct rpc_call *c, const char *field, double value, int32_t *out);

/* SN_INVALID_ARGUMENT, code file_too_large (413), when a file of so many bytes is larger than MEDIA_FILE_BYTES. */
SN_CHECKED sn_status media_check_size(struct rpc_call *c, int64_t size);

/* Charges the quota of its owner, once for each content, puts the blob in its place, and writes the row. */
SN_CHECKED sn_status create_media(struct db_tx *tx, const struct staged_blob *blob, const struct new_media *media);

#endif
