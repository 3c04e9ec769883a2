/* The SQL of media_service. */
#ifndef SERVICES_MEDIA_STORE_H
#define SERVICES_MEDIA_STORE_H

#include "db/db.h"
#include "services/media/media.rpc.h"
#include "services/media/media_rows.rpc.h"
#include "services/page.h"

/* A media to be created. */
struct new_media {
        const char *id, *owner_id;
        int kind; /* Kind of media.proto */
        const char *mime_type, *file_name, *alt_text;
        int64_t size_bytes;
        const char *upload_sha256; /* hex */
        int32_t focus_x, focus_y;  /* millionths */
};

/* Locks the quota of any member until the transaction ends. */
SN_CHECKED sn_status store_lock_quota(struct db_tx *tx, const char *user_id, MediaRows__Quota *out);
/* Reads the quota without locking it. */
SN_CHECKED sn_status store_quota(struct db_tx *tx, const char *user_id, MediaRows__Quota *out);
/* Adds to a locked quota; the values may be negative. */
SN_CHECKED sn_status store_change_quota(struct db_tx *tx, const char *user_id, int64_t used, int64_t reserved);
/* Whether a member is hidden; does nothing if they never had any media. */
SN_CHECKED sn_status store_hide_owner(struct db_tx *tx, const char *user_id, bool is_hidden);
SN_CHECKED sn_status store_delete_quota(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_usage(struct db_tx *tx, const char *user_id, Media__Usage *out);

SN_CHECKED sn_status store_insert_media(struct db_tx *tx, const struct new_media *media);
/* SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status store_media(struct db_tx *tx, const char *id, MediaRows__StoredMedia *out);
/* A media of the actor, with its tags. SN_NOT_FOUND if the actor has no such media. */
SN_CHECKED sn_status store_own_media(struct db_tx *tx, const char *id, MediaRows__StoredMedia *out);
/* Whether a member already has this content. The quota must be locked. */
SN_CHECKED sn_status store_has_content(struct db_tx *tx, const char *owner_id, const char *upload_sha256, bool *has);
/* Changes a media of the owner; values that are NULL stay. SN_NOT_FOUND if there is none. */
SN_CHECKED sn_status store_update_media(struct db_tx *tx, const char *id, const char *owner_id, const char *alt_text,
                                        const int32_t *focus_x, const int32_t *focus_y);
/* Deletes a media of the owner; *row is what it was. SN_NOT_FOUND if there is none. */
SN_CHECKED sn_status store_delete_media(struct db_tx *tx, const char *id, const char *owner_id,
                                        MediaRows__StoredMedia *row);
struct media_filter {
        int kind;                  /* 0: all */
        const char *tag;           /* normalized; NULL: all */
        const char *collection_id; /* "": all */
};
SN_CHECKED sn_status store_list_media(struct db_tx *tx, const char *owner_id, const struct media_filter *filter,
                                      const struct page_scan *scan, size_t *n, MediaRows__StoredMedia ***rows);

/* Loads those of the media that exist, in any order. */
SN_CHECKED sn_status store_medias(struct db_tx *tx, char **ids, size_t n, size_t *n_rows,
                                  MediaRows__StoredMedia ***rows);
/* The same; those that are found are not deleted before the transaction ends. */
SN_CHECKED sn_status store_lock_medias(struct db_tx *tx, char **ids, size_t n, size_t *n_rows,
                                       MediaRows__StoredMedia ***rows);

/* --- where media are shown --- */

SN_CHECKED sn_status store_insert_uses(struct db_tx *tx, char **media_ids, size_t n, const char *object_id,
                                       bool is_public);
/* The object was created: its media become public if it is. */
SN_CHECKED sn_status store_confirm_uses(struct db_tx *tx, const char *object_id);
/* Removes a batch of uses by objects that were never created. */
SN_CHECKED sn_status store_remove_unconfirmed(struct rpc_call *c, bool *more);
/* The object no longer shows any media; gone: the media that only this object showed. */
SN_CHECKED sn_status store_delete_uses(struct db_tx *tx, const char *object_id, size_t *n,
                                       MediaRows__StoredMedia ***gone);

/* --- processing --- */

struct processed_media {
        int kind;
        const char *mime_type;
        int width, height;
        int64_t duration_ms;
        const char *blurhash, *dominant_color, *content_sha256;
        const char *perceptual_hash; /* hex; "" if none */
        const int64_t *waveform;     /* each 0 to 100 */
        size_t n_waveform;
};

struct new_variant {
        const char *name, *mime_type;
        int width, height;
        int64_t size_bytes;
        const char *sha256; /* hex */
};

/* Queues a job behind the others of its owner, unless the media has failed. An existing job, even a running one, is
 * repeated as a new generation. */
SN_CHECKED sn_status store_insert_job(struct db_tx *tx, const char *media_id);
/* In how many ms the next job is due, at most *wait_ms. is_long: videos and sounds instead of pictures. */
SN_CHECKED sn_status store_next_job(struct db_tx *tx, bool is_long, int64_t *wait_ms);
/* How many of a member's media wait to be processed. */
SN_CHECKED sn_status store_pending_jobs(struct db_tx *tx, const char *owner_id, int64_t *n);
/* Leases a due job for a minute, which is a job's deadline. *found is false if there is none. */
SN_CHECKED sn_status store_take_job(struct db_tx *tx, bool is_long, MediaRows__DueMedia *out, bool *found);
/* Renews the lease for a minute. *renewed is false if the job was deleted or queued again. */
SN_CHECKED sn_status store_renew_job(struct db_tx *tx, const MediaRows__DueMedia *job, bool *renewed);
/* Ends a job's lease without counting the attempt: it is due at once. Does nothing if it was queued again. */
SN_CHECKED sn_status store_release_job(struct db_tx *tx, const MediaRows__DueMedia *job);
/* Postpones a job without counting the attempt, for as long as the job has existed, between 10 seconds and an hour. */
SN_CHECKED sn_status store_postpone_job(struct db_tx *tx, const MediaRows__DueMedia *job);
/* JOB_GONE: the job or its media was deleted, or another process completed it. JOB_RENEWED: the next generation was
 * requested, so the job stays. */
enum job_state { JOB_GONE, JOB_DONE, JOB_RENEWED };
SN_CHECKED sn_status store_finish_job(struct db_tx *tx, const MediaRows__DueMedia *job, enum job_state *state);
SN_CHECKED sn_status store_media_ready(struct db_tx *tx, const char *id, const struct processed_media *media);
/* A process that is working on it will find JOB_GONE. */
SN_CHECKED sn_status store_delete_job(struct db_tx *tx, const char *media_id);
/* Marks the media as failed, and deletes everything that could be served. */
SN_CHECKED sn_status store_media_blocked(struct db_tx *tx, const char *id, const char *reason);
SN_CHECKED sn_status store_media_failed(struct db_tx *tx, const char *id, const char *reason);
SN_CHECKED sn_status store_insert_variant(struct db_tx *tx, const char *media_id, const struct new_variant *variant);
SN_CHECKED sn_status store_delete_variants(struct db_tx *tx, const char *media_id);
/* SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status store_variant(struct db_tx *tx, const char *media_id, const char *name, MediaRows__Variant *out);
/* Takes blobs of deleted rows from the list; each is returned once. */
SN_CHECKED sn_status store_take_unreferenced(struct db_tx *tx, size_t limit, size_t *n, char ***names);
/* Adds those of the blobs to the list that no row refers to. */
SN_CHECKED sn_status store_unreference(struct db_tx *tx, char **names, size_t n);
SN_CHECKED sn_status store_is_referred(struct db_tx *tx, const char *name, bool *referred);

/* --- uploads --- */

/* Counts the owner's uploads that have not become media yet. */
SN_CHECKED sn_status store_unfinished_uploads(struct db_tx *tx, const char *owner_id, int64_t *n);
SN_CHECKED sn_status store_insert_upload(struct db_tx *tx, const MediaRows__StoredUpload *upload);
/* An upload of the actor that has not expired. lock: until the transaction ends. SN_NOT_FOUND if there is none. */
SN_CHECKED sn_status store_upload(struct db_tx *tx, const char *id, bool lock, MediaRows__StoredUpload *out);
/* Stores its length, the bytes received and reserved, the media made from it, and when it expires. */
SN_CHECKED sn_status store_update_upload(struct db_tx *tx, const MediaRows__StoredUpload *upload);
SN_CHECKED sn_status store_fence_upload(struct db_tx *tx, const char *id);
SN_CHECKED sn_status store_delete_upload(struct db_tx *tx, const char *id);
/* Locks some expired uploads of any members. */
SN_CHECKED sn_status store_expired_uploads(struct db_tx *tx, size_t limit, size_t *n, MediaRows__StoredUpload ***rows);

/* Locks some uploads of a member. */
SN_CHECKED sn_status store_uploads_of(struct db_tx *tx, const char *owner_id, size_t limit, size_t *n,
                                      MediaRows__StoredUpload ***rows);

/* SN_RESOURCE_EXHAUSTED if the upload has that many chunks already. Its row must be locked. */
SN_CHECKED sn_status store_insert_chunk(struct db_tx *tx, const char *id, const char *upload_id, int64_t position,
                                        int64_t size_bytes, int64_t most);
/* The chunks in order. */
SN_CHECKED sn_status store_chunks(struct db_tx *tx, const char *upload_id, size_t *n, MediaRows__Chunk ***rows);
/* Those of the ids that have no row. */
SN_CHECKED sn_status store_unknown_chunks(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, char ***names);
/* Returns the deleted chunks. */
SN_CHECKED sn_status store_delete_chunks(struct db_tx *tx, const char *upload_id, size_t *n, MediaRows__Chunk ***rows);

#endif
