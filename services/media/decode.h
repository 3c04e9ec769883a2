/* Decoding pictures in a child process: the child's side and its caller's. The child is this program under a command
 * that `sonet help` does not list: the serving process never loads libvips, and shares no memory with the decoder. */
#ifndef SERVICES_MEDIA_DECODE_H
#define SERVICES_MEDIA_DECODE_H

#include "base/call.h"
#include "services/media/phash.h"

#define DECODE_COMMAND "decode-media"

/* What is made of a picture, each a file: in this order. */
enum decode_output { DECODE_ORIGINAL, DECODE_LARGE, DECODE_MEDIUM, DECODE_SMALL, DECODE_THUMB, DECODE_N_OUTPUTS };
/* Their descriptors in the child; 0 is the file, 1 takes the answer. */
enum { DECODE_FIRST_FD = 3 };

struct decoded_file {
        int fd; /* unlinked; closed with the call */
        int width, height;
};

struct decoded {
        int width, height; /* turned upright */
        char blurhash[64];
        char dominant_color[8];
        char perceptual_hash[PHASH_SIZE]; /* "": it shows too little */
        struct decoded_file files[DECODE_N_OUTPUTS];
        char reason[100]; /* "": it worked */
};

struct decode_request {
        int fd; /* the picture; stays open */
        const char *mime_type;
        int32_t focus_x, focus_y; /* millionths */
        int wait_ms;              /* for the child's end; then it is killed */
};

/* SN_OK with a reason when the picture is at fault; another status when the server could not decode at all. Blocks
 * for wait_ms. */
SN_CHECKED sn_status decode_picture(struct rpc_call *c, const struct decode_request *request, struct decoded *out);

/* The child: decode-media MIME_TYPE FOCUS_X FOCUS_Y. Gives the exit code. */
int decode_main(int argc, char **argv);

#endif
