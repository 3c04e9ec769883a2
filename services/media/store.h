/* The SQL of media_service. */
#ifndef SERVICES_MEDIA_STORE_H
#define SERVICES_MEDIA_STORE_H

#include "db/db.h"
#include "services/media/media.rpc.h"
#include "services/media/media_rows.rpc.h"
#include "services/page.h"

/* A media as it comes. */
struct new_media {
        const char *id, *owner_id;
        int kind; /* media.proto, Kind */
        const char *mime_type, *file_name, *alt_text;
        int64_t size_bytes;
        const char *upload_sha256; /* hex */
        int32_t focus_x, focus_y;  /* millionths */
};

/* Locks the quota of a member until the transaction ends, whoever it is. */
SN_CHECKED sn_status store_lock_quota(struct db_tx *tx, const char *user_id, MediaRows__Quota *out);
/* As it is now, not locked. */
SN_CHECKED sn_status store_quota(struct db_tx *tx, const char *user_id, MediaRows__Quota *out);
/* Adds to a locked quota; either may be negative. */
SN_CHECKED sn_status store_change_quota(struct db_tx *tx, const char *user_id, int64_t used, int64_t reserved);
SN_CHECKED sn_status store_delete_quota(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_usage(struct db_tx *tx, const char *user_id, Media__Usage *out);

SN_CHECKED sn_status store_insert_media(struct db_tx *tx, const struct new_media *media);
/* SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status store_media(struct db_tx *tx, const char *id, MediaRows__StoredMedia *out);
/* Of the actor, with its tags. SN_NOT_FOUND when they have none. */
SN_CHECKED sn_status store_own_media(struct db_tx *tx, const char *id, MediaRows__StoredMedia *out);
/* Whether a member has this content already, with the quota locked. */
SN_CHECKED sn_status store_has_content(struct db_tx *tx, const char *owner_id, const char *upload_sha256, bool *has);
/* One's own; what is NULL stays. SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status store_update_media(struct db_tx *tx, const char *id, const char *owner_id, const char *alt_text,
                                        const int32_t *focus_x, const int32_t *focus_y);
/* One's own; *row is as it was. SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status store_delete_media(struct db_tx *tx, const char *id, const char *owner_id,
                                        MediaRows__StoredMedia *row);
struct media_filter {
        int kind;                  /* 0: all */
        const char *tag;           /* folded; NULL: all */
        const char *collection_id; /* "": all */
};
SN_CHECKED sn_status store_list_media(struct db_tx *tx, const char *owner_id, const struct media_filter *filter,
                                      const struct page_scan *scan, size_t *n, MediaRows__StoredMedia ***rows);

/* Those of the ids that exist, in no particular order. */
SN_CHECKED sn_status store_medias(struct db_tx *tx, char **ids, size_t n, size_t *n_rows,
                                  MediaRows__StoredMedia ***rows);

/* --- where media are shown --- */

SN_CHECKED sn_status store_insert_uses(struct db_tx *tx, char **media_ids, size_t n, const char *object_id,
                                       bool is_public);
/* The object was created: what it shows is public if the object is. */
SN_CHECKED sn_status store_confirm_uses(struct db_tx *tx, const char *object_id);
/* A batch of the uses by objects that were never created. */
SN_CHECKED sn_status store_remove_unconfirmed(struct rpc_call *c, bool *more);
/* The object shows nothing any more; gone: media that only this object had shown. */
SN_CHECKED sn_status store_delete_uses(struct db_tx *tx, const char *object_id, size_t *n,
                                       MediaRows__StoredMedia ***gone);

/* --- processing --- */

struct processed_media {
        int kind;
        const char *mime_type;
        int width, height;
        int64_t duration_ms;
        const char *blurhash, *dominant_color, *content_sha256;
        const char *perceptual_hash; /* hex; "": none */
        const int64_t *waveform;     /* 0 to 100 each */
        size_t n_waveform;
};

struct new_variant {
        const char *name, *mime_type;
        int width, height;
        int64_t size_bytes;
        const char *sha256; /* hex */
};

/* Behind the others of its owner. Of one that has failed there is nothing more to process. One that is there, even in
 * work, begins anew as a further generation. */
SN_CHECKED sn_status store_insert_job(struct db_tx *tx, const char *media_id);
/* In how long the next one is due, wait_ms at most: of pictures, or of what takes long, videos and sounds. */
SN_CHECKED sn_status store_next_job(struct db_tx *tx, bool is_long, int64_t *wait_ms);
/* How many of a member's media wait to be processed. */
SN_CHECKED sn_status store_pending_jobs(struct db_tx *tx, const char *owner_id, int64_t *n);
/* One that is due, for a minute, which is what a job has; *found is false when there is none. */
SN_CHECKED sn_status store_take_job(struct db_tx *tx, bool is_long, MediaRows__DueMedia *out, bool *found);
/* For a further minute; *renewed is false when it was deleted, or begins anew. */
SN_CHECKED sn_status store_renew_job(struct db_tx *tx, const MediaRows__DueMedia *job, bool *renewed);
/* The attempt does not count; it is due again after as long as the job is old, between 10 seconds and an hour. */
SN_CHECKED sn_status store_postpone_job(struct db_tx *tx, const MediaRows__DueMedia *job);
/* Gone: the job or its media was deleted, or another process has done it. Renewed: the next generation was
 * requested, and the job stays. */
enum job_state { JOB_GONE, JOB_DONE, JOB_RENEWED };
SN_CHECKED sn_status store_finish_job(struct db_tx *tx, const MediaRows__DueMedia *job, enum job_state *state);
SN_CHECKED sn_status store_media_ready(struct db_tx *tx, const char *id, const struct processed_media *media);
/* Whoever processes it finds nothing to finish. */
SN_CHECKED sn_status store_delete_job(struct db_tx *tx, const char *media_id);
/* It failed, and nothing is given out of it any more. */
SN_CHECKED sn_status store_media_blocked(struct db_tx *tx, const char *id, const char *reason);
SN_CHECKED sn_status store_media_failed(struct db_tx *tx, const char *id, const char *reason);
SN_CHECKED sn_status store_insert_variant(struct db_tx *tx, const char *media_id, const struct new_variant *variant);
SN_CHECKED sn_status store_delete_variants(struct db_tx *tx, const char *media_id);
/* SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status store_variant(struct db_tx *tx, const char *media_id, const char *name, MediaRows__Variant *out);
/* Blobs to which deleted rows referred; each is returned once. */
SN_CHECKED sn_status store_take_unreferenced(struct db_tx *tx, size_t limit, size_t *n, char ***names);
/* Lists those of the blobs to which no row refers. */
SN_CHECKED sn_status store_unreference(struct db_tx *tx, char **names, size_t n);
SN_CHECKED sn_status store_is_referred(struct db_tx *tx, const char *name, bool *referred);

/* --- uploads --- */

/* Of this owner, of which no media was made yet. */
SN_CHECKED sn_status store_unfinished_uploads(struct db_tx *tx, const char *owner_id, int64_t *n);
SN_CHECKED sn_status store_insert_upload(struct db_tx *tx, const MediaRows__StoredUpload *upload);
/* One that has not expired; locked until the transaction ends when lock is set. SN_NOT_FOUND when the actor has none.
 */
SN_CHECKED sn_status store_upload(struct db_tx *tx, const char *id, bool lock, MediaRows__StoredUpload *out);
/* Updates its length, what was received and reserved, the media made of it, and when it expires. */
SN_CHECKED sn_status store_update_upload(struct db_tx *tx, const MediaRows__StoredUpload *upload);
SN_CHECKED sn_status store_fence_upload(struct db_tx *tx, const char *id);
SN_CHECKED sn_status store_delete_upload(struct db_tx *tx, const char *id);
/* Locks some that have expired, whosever they are. */
SN_CHECKED sn_status store_expired_uploads(struct db_tx *tx, size_t limit, size_t *n, MediaRows__StoredUpload ***rows);

/* Locks some of a member. */
SN_CHECKED sn_status store_uploads_of(struct db_tx *tx, const char *owner_id, size_t limit, size_t *n,
                                      MediaRows__StoredUpload ***rows);

SN_CHECKED sn_status store_insert_chunk(struct db_tx *tx, const char *id, const char *upload_id, int64_t position,
                                        int64_t size_bytes);
/* In their order. */
SN_CHECKED sn_status store_chunks(struct db_tx *tx, const char *upload_id, size_t *n, MediaRows__Chunk ***rows);
/* Those of the ids that no row has. */
SN_CHECKED sn_status store_unknown_chunks(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, char ***names);
/* Returns those that it deletes. */
SN_CHECKED sn_status store_delete_chunks(struct db_tx *tx, const char *upload_id, size_t *n, MediaRows__Chunk ***rows);

#endif
