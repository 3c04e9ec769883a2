/* Uploads in pieces: what the files that own their steps share. */
#ifndef SERVICES_MEDIA_UPLOAD_H
#define SERVICES_MEDIA_UPLOAD_H

#include "services/media/blobs.h"
#include "services/media/media.h"
#include "services/media/store.h"

typedef MediaRows__StoredUpload upload_row;

/* A piece that was checked and is on disk: a chunk of its own, or with all before it the file that becomes a media. */
struct upload_piece {
        int64_t size;
        const char *chunk_id; /* "": no chunk */
        bool whole;
        struct staged_blob blob;
        struct new_media media;
};

/* The answers about it. */
void upload_answer(struct rpc_call *c, const upload_row *upload, MediaUploads__Upload *out);
void upload_state(struct rpc_call *c, const upload_row *upload, MediaUploads__UploadState *out);
/* Refuses a length of 0, and one beyond the largest file: 413. */
SN_CHECKED sn_status upload_check_length(struct rpc_call *c, int64_t length);

/* The row of an upload as a request begins it, with the partial ones that it concatenates, and its checks. */
SN_CHECKED sn_status upload_of_request(struct rpc_call *c, const MediaUploads__CreateUploadRequest *in,
                                       upload_row *upload, size_t *n_parts, char ***parts);
/* Whether the next piece comes at the right place, by what is known without it; sets the length if it brings one. */
SN_CHECKED sn_status upload_check_place(struct rpc_call *c, const MediaUploads__AppendUploadRequest *in,
                                        upload_row *upload);
/* Whether a member may begin one more. SN_RESOURCE_EXHAUSTED, too_many_uploads (429). */
SN_CHECKED sn_status upload_check_number(struct db_tx *tx, const char *owner_id);
/* Whether so many bytes may come now. */
SN_CHECKED sn_status upload_check_size(struct rpc_call *c, const upload_row *upload, int64_t size);
/* Whether what comes now may begin with these bytes: refuses types that are not accepted, if they are enough to tell.
 */
SN_CHECKED sn_status upload_check_head(struct rpc_call *c, const upload_row *upload, const uint8_t *head, size_t len);

/* Checks the call's body against the remaining length, its checksum and its type, and stores it. */
SN_CHECKED sn_status upload_keep(struct rpc_call *c, const upload_row *upload, const char *checksum,
                                 struct upload_piece *out);
/* Puts chunks, and behind them the call's body when with_body is set, together as a file that becomes a media. */
SN_CHECKED sn_status upload_assemble(struct rpc_call *c, const upload_row *upload, MediaRows__Chunk **chunks, size_t n,
                                     bool with_body, struct upload_piece *out);

/* With its row locked: the piece is received, what it needs of the quota reserved; the last one makes the media. */
SN_CHECKED sn_status upload_receive(struct db_tx *tx, upload_row *upload, const struct upload_piece *piece);
/* With its row locked: deletes it with its chunks, and gives back what it had reserved. */
SN_CHECKED sn_status upload_drop(struct db_tx *tx, const upload_row *upload);

#endif
