/* Decoding pictures, videos and sounds in a child process: the child's side and its caller's. The child is this program
 * under a command that `sonet help` does not list: the serving process never loads libvips or FFmpeg, and shares no
 * memory with a decoder. */
#ifndef SERVICES_MEDIA_DECODE_H
#define SERVICES_MEDIA_DECODE_H

#include "base/call.h"
#include "services/media/phash.h"

#define DECODE_COMMAND "decode-media"

/* What is made of a picture, of a video, of a sound: files, in this order. */
enum decode_output {
        DECODE_ORIGINAL,
        DECODE_LARGE,
        DECODE_MEDIUM,
        DECODE_SMALL,
        DECODE_THUMB,
        DECODE_LARGE_AVIF, /* these may be missing: they have no size then */
        DECODE_MEDIUM_AVIF,
        DECODE_SMALL_AVIF,
        DECODE_THUMB_AVIF,
        DECODE_N_OUTPUTS,
        DECODE_MP4 = 1,
        DECODE_POSTER = 2,
        DECODE_MP3 = 1,
        DECODE_OGG = 2,
};
/* Their descriptors in the child; 0 is the file, 1 takes the answer. */
enum { DECODE_FIRST_FD = 3 };

/* Of its command line: decode-media MIME_TYPE FOCUS_X FOCUS_Y, and the fields of decode_limits. */
enum { DECODE_ARGUMENTS = 11, DECODE_WAVEFORM = 100 };

struct decode_limits {
        int cpu_s;            /* of processor time */
        int video_s, audio_s; /* the longest that is taken */
        int side;             /* the longest of a video */
        int video_side;       /* of what is made of it */
        const char *decoders; /* of FFmpeg, apart by commas */
        bool avif;            /* pictures are made as AVIF, too, as far as there is time */
};

struct decoded_file {
        int fd; /* unlinked; closed with the call */
        int width, height;
};

struct decoded {
        int width, height; /* turned upright */
        char blurhash[64];
        char dominant_color[8];
        char perceptual_hash[PHASH_SIZE]; /* "": it shows too little */
        bool is_sound;                    /* what came as a video has no pictures */
        int64_t duration_ms;
        int64_t waveform[DECODE_WAVEFORM]; /* 0 to 100 */
        size_t n_waveform;
        struct decoded_file files[DECODE_N_OUTPUTS];
        char reason[100]; /* "": it worked */
};

struct decode_request {
        int fd; /* the picture; stays open */
        const char *mime_type;
        int32_t focus_x, focus_y; /* millionths */
        int wait_ms;              /* for the child's end; then it is killed */
        struct decode_limits limits;
        /* Asked every second while the child works; false kills it, and what was asked for is cancelled. NULL: nobody.
         */
        bool (*goes_on)(void *context);
        void *context;
};

/* SN_OK with a reason when the file is at fault; SN_CANCELLED when goes_on said so; another status when the server
 * could not decode at all. Blocks for wait_ms. */
SN_CHECKED sn_status decode(struct rpc_call *c, const struct decode_request *request, struct decoded *out);

/* What this machine can process, as a child finds out that loads the libraries. */
struct decode_abilities {
        bool pictures, films; /* libvips; FFmpeg with its encoders */
        bool avif;            /* libvips can write it */
};
SN_CHECKED sn_status decode_ask(struct rpc_call *c, struct decode_abilities *out);

/* The child. Gives the exit code. Without arguments it says what could be processed. */
int decode_main(int argc, char **argv);

#endif
