/* What the files of media_service share. */
#ifndef SERVICES_MEDIA_MEDIA_H
#define SERVICES_MEDIA_MEDIA_H

#include "bus/bus.h"
#include "services/media/media.service.h"
#include "services/media/media_rows.rpc.h"
#include "services/services.h"

/* Aggregate: the media; actor: its owner. */
#define EVENT_MEDIA_READY   "media.ready"
#define EVENT_MEDIA_FAILED  "media.failed"
#define EVENT_MEDIA_DELETED "media.deleted"

/* Settings, as they were at the start. */
struct media_limits {
        int64_t quota_bytes;                    /* that a member may keep */
        int64_t file_bytes;                     /* that one file may have */
        int64_t pending;                        /* media of a member that may wait to be processed */
        int workers;                            /* pictures that this process processes at a time */
        int film_s;                             /* that the processing of a video or a sound may take */
        int video_s, audio_s, side, video_side; /* services/media/decode.h, decode_limits */
        const char *decoders;
        bool takes_pictures, takes_films;         /* others are refused */
        bool makes_avif;                          /* of pictures, beside WebP */
        bool processes_pictures, processes_films; /* here: what this machine can, unless it leaves it to workers */
};
extern struct media_limits media_limits;

/* About a media, in the name of its owner. */
SN_CHECKED sn_status media_emit(struct db_tx *tx, const char *type, const MediaRows__StoredMedia *row);

/* What a call of its own for a portion came to, as what this one does. */
SN_CHECKED sn_status media_pass_on(struct rpc_call *c, const struct rpc_call *portion, sn_status status);

#define MEDIA_LINK "media-url" /* what signed links of media are for (auth/signed_link.h) */

/* Puts a media into the queue of what is processed (process.c); anew, when it is there or in work. */
SN_CHECKED sn_status process_later(struct db_tx *tx, const char *media_id);

/* store_export.c */
extern const struct service_export media_exports[];

#endif
