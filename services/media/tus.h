/* Headers of tus 1.0: versions, checksums, metadata, concatenation. */
#ifndef SERVICES_MEDIA_TUS_H
#define SERVICES_MEDIA_TUS_H

#include "base/call.h"
#include "base/str.h"

/* SN_FAILED_PRECONDITION, code tus_version (412), unless it is 1.0.0. */
SN_CHECKED sn_status tus_check_version(struct rpc_call *c, const char *version);
/* Checks the call's body against "sha256 Base64"; "" checks nothing. SN_INVALID_ARGUMENT, code checksum_mismatch (460),
 * or malformed_request (400) for an unknown algorithm. A truncated body does not match. */
SN_CHECKED sn_status tus_check_body(struct rpc_call *c, const char *checksum);
/* The value of a name in Upload-Metadata, as valid text of at most max_bytes; "" if there is none. */
const char *tus_metadata(struct rpc_call *c, const char *metadata, const char *name, size_t max_bytes);
/* Rejects a malformed Upload-Metadata. */
SN_CHECKED sn_status tus_check_metadata(struct rpc_call *c, const char *metadata);
/* Whether a value of Upload-Concat is that of a final upload. */
bool tus_is_final(const char *concat);
/* Parses the ids in "final;/v1/uploads/a /v1/uploads/b", at most 64; *n is 0 if the upload is not final. */
SN_CHECKED sn_status tus_parts(struct rpc_call *c, const char *concat, size_t *n, char ***ids);

#endif
