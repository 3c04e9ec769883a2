/* Resumable uploads: shared by the files that own their steps. */
#ifndef SERVICES_MEDIA_UPLOAD_H
#define SERVICES_MEDIA_UPLOAD_H

#include "services/media/blobs.h"
#include "services/media/media.h"
#include "services/media/store.h"

typedef MediaRows__StoredUpload upload_row;

/* Of one upload, and of one concatenation: completing or deleting it handles all of them in one request. */
enum { UPLOAD_PIECES_MAX = 10000 };

/* A checked piece on disk: a new chunk, or the whole file, assembled with the earlier chunks, that becomes a media. */
struct upload_piece {
        int64_t size;
        const char *chunk_id; /* "" if it is not a chunk */
        bool whole;
        struct staged_blob blob;
        struct new_media media;
};

/* Fills the answer about an upload. */
void upload_answer(struct rpc_call *c, const upload_row *upload, MediaUploads__Upload *out);
void upload_state(struct rpc_call *c, const upload_row *upload, MediaUploads__UploadState *out);
/* Rejects a length of 0, or beyond the largest file (413). */
SN_CHECKED sn_status upload_check_length(struct rpc_call *c, int64_t length);

/* Makes the row of a new upload from a request, including the partial ones that it concatenates, and validates it. */
SN_CHECKED sn_status upload_of_request(struct rpc_call *c, const MediaUploads__CreateUploadRequest *in,
                                       upload_row *upload, size_t *n_parts, char ***parts);
/* Checks the offset of the next piece before its body is read. Sets the length if the request has one. */
SN_CHECKED sn_status upload_check_place(struct rpc_call *c, const MediaUploads__AppendUploadRequest *in,
                                        upload_row *upload);
/* Checks whether a member may begin another upload. SN_RESOURCE_EXHAUSTED, too_many_uploads (429). */
SN_CHECKED sn_status upload_check_number(struct db_tx *tx, const char *owner_id);
/* SN_RESOURCE_EXHAUSTED, too_many_pieces (429). */
SN_CHECKED sn_status upload_check_pieces(struct rpc_call *c, size_t n);
/* Checks whether size more bytes may be received. */
SN_CHECKED sn_status upload_check_size(struct rpc_call *c, const upload_row *upload, int64_t size);
/* Rejects types that are not accepted, if the head of the file is long enough to tell. */
SN_CHECKED sn_status upload_check_head(struct rpc_call *c, const upload_row *upload, const uint8_t *head, size_t len);

/* Checks the call's body against the remaining length, the checksum and the accepted types, and stages it. */
SN_CHECKED sn_status upload_keep(struct rpc_call *c, const upload_row *upload, const char *checksum,
                                 struct upload_piece *out);
/* Assembles chunks and, if with_body is set, the call's body into the file that becomes a media. */
SN_CHECKED sn_status upload_assemble(struct rpc_call *c, const upload_row *upload, MediaRows__Chunk **chunks, size_t n,
                                     bool with_body, struct upload_piece *out);

/* Receives a piece and reserves its quota; the last one creates the media. The row must be locked. */
SN_CHECKED sn_status upload_receive(struct db_tx *tx, upload_row *upload, const struct upload_piece *piece);
/* Deletes the upload with its chunks and releases its reservation. The row must be locked. */
SN_CHECKED sn_status upload_drop(struct db_tx *tx, const upload_row *upload);

#endif
