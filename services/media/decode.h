/* Decoding pictures, videos and sounds in a child process: both the child's and the parent's side. The child is this
 * program with a command that `sonet help` does not list. So the serving process never loads libvips or FFmpeg, and
 * shares no memory with a decoder. */
#ifndef SERVICES_MEDIA_DECODE_H
#define SERVICES_MEDIA_DECODE_H

#include "base/call.h"
#include "services/media/phash.h"

#define DECODE_COMMAND "decode-media"

/* The files made from a picture, video or sound, in this order. */
enum decode_output {
        DECODE_ORIGINAL,
        DECODE_LARGE,
        DECODE_MEDIUM,
        DECODE_SMALL,
        DECODE_THUMB,
        DECODE_LARGE_AVIF, /* the AVIF files may be missing; their size is then 0 */
        DECODE_MEDIUM_AVIF,
        DECODE_SMALL_AVIF,
        DECODE_THUMB_AVIF,
        DECODE_N_OUTPUTS,
        DECODE_MP4 = 1,
        DECODE_POSTER = 2,
        DECODE_MP3 = 1,
        DECODE_OGG = 2,
};
/* The first of their descriptors in the child; 0 is the input file, 1 is for results. */
enum { DECODE_FIRST_FD = 3 };

/* The child's command line: decode-media MIME_TYPE FOCUS_X FOCUS_Y and the fields of decode_limits. */
enum { DECODE_ARGUMENTS = 11, DECODE_WAVEFORM = 100 };

struct decode_limits {
        int cpu_s;            /* CPU time */
        int video_s, audio_s; /* maximum durations */
        int side;             /* maximum side of a video */
        int video_side;       /* maximum side of the video made from it */
        const char *decoders; /* of FFmpeg, separated by commas */
        bool avif;            /* also make AVIF variants of pictures, time permitting */
};

struct decoded_file {
        int fd; /* unlinked; closed with the call */
        int width, height;
};

struct decoded {
        int width, height; /* after rotation */
        char blurhash[64];
        char dominant_color[8];
        char perceptual_hash[PHASH_SIZE]; /* "" if it shows too little */
        bool is_sound;                    /* uploaded as a video but has no pictures */
        int64_t duration_ms;
        int64_t waveform[DECODE_WAVEFORM]; /* each 0 to 100 */
        size_t n_waveform;
        struct decoded_file files[DECODE_N_OUTPUTS];
        char reason[100]; /* "" on success */
};

struct decode_request {
        int fd; /* the file, which stays open */
        const char *mime_type;
        int32_t focus_x, focus_y; /* millionths */
        int wait_ms;              /* how long to wait for the child before it is killed */
        struct decode_limits limits;
        /* Called every second while the child works; false kills it and cancels the request. May be NULL. */
        bool (*goes_on)(void *context);
        /* Called when the child has done some percent of a video or sound, each time with more. May be NULL. */
        void (*progressed)(void *context, int percent);
        void *context;
};

/* SN_OK with a reason if the file is at fault; SN_CANCELLED if goes_on returned false; another status if the server
 * could not decode at all. Blocks for at most wait_ms. */
SN_CHECKED sn_status decode(struct rpc_call *c, const struct decode_request *request, struct decoded *out);

/* What this machine can process, determined by a child that loads the libraries. */
struct decode_abilities {
        bool pictures, films; /* libvips; FFmpeg with its encoders */
        bool avif;            /* libvips can write it */
};
SN_CHECKED sn_status decode_ask(struct rpc_call *c, struct decode_abilities *out);

/* The child. Returns the exit code. Without arguments it reports the abilities of this machine. */
int decode_main(int argc, char **argv);

#endif
