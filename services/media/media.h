/* Shared by the files of media_service. */
#ifndef SERVICES_MEDIA_MEDIA_H
#define SERVICES_MEDIA_MEDIA_H

#include "bus/bus.h"
#include "services/media/media.service.h"
#include "services/media/media_rows.rpc.h"
#include "services/services.h"

/* Aggregate: the media; actor: its owner. */
#define EVENT_MEDIA_READY    "media.ready"
#define EVENT_MEDIA_PROGRESS "media.progress" /* version: in percent */
#define EVENT_MEDIA_FAILED   "media.failed"
#define EVENT_MEDIA_DELETED  "media.deleted"

/* Settings as of the start. */
struct media_limits {
        int64_t quota_bytes;                    /* per member */
        int64_t file_bytes;                     /* per file */
        int64_t pending;                        /* media per member that may wait to be processed */
        int workers;                            /* pictures that this process processes at a time */
        int film_s;                             /* longest processing of a video or a sound */
        int video_s, audio_s, side, video_side; /* see decode_limits in decode.h */
        const char *decoders;
        bool takes_pictures, takes_films;         /* others are refused on upload */
        bool makes_avif;                          /* in addition to WebP */
        bool processes_pictures, processes_films; /* in this process: what this machine can, unless workers do it */
};
extern struct media_limits media_limits;

/* Emits an event about a media, with its owner as the actor. */
SN_CHECKED sn_status media_emit(struct db_tx *tx, const char *type, const MediaRows__StoredMedia *row);

/* Copies the problem of a portion's call to this call. Returns the status. */
SN_CHECKED sn_status media_pass_on(struct rpc_call *c, const struct rpc_call *portion, sn_status status);

#define MEDIA_LINK "media-url" /* purpose of signed links (auth/signed_link.h) */

/* Queues a media of this kind for processing (process.c); again, if it is queued or being processed. */
SN_CHECKED sn_status process_later(struct db_tx *tx, const char *media_id, int kind);

/* store_export.c */
extern const struct service_export media_exports[];

#endif
