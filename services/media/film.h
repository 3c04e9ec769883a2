/* A video or a sound on its way through the sandboxed child: read once to copy its streams into an original without
 * metadata, and once more to decode and encode it anew. */
#ifndef SERVICES_MEDIA_FILM_H
#define SERVICES_MEDIA_FILM_H

#include "services/media/av.h"
#include "services/media/child.h"

struct film {
        const struct child_file *file;
        const struct decode_limits *limits;
        AVFormatContext *in;
        int video, audio; /* streams; < 0: there is none */
        int64_t end_us;   /* of what was decoded, from the beginning */
        const char *reason;
};

/* Keeps the first reason; false. */
bool film_fail(struct film *f, const char *reason);
/* A moment of a stream, from the beginning of the film. False: it is behind the longest that is taken. */
bool film_moment(struct film *f, const AVStream *stream, int64_t pts, int64_t *us);

/* --- film_io.c --- */

/* What libavformat reads the file with. */
AVIOContext *film_open_input(const struct child_file *file);
/* A muxer that writes to a descriptor of the child; NULL: it does not work. It writes no metadata. */
AVFormatContext *film_open_output(const char *format, enum decode_output which);
/* Once all its streams are there. */
bool film_begin(AVFormatContext *out);
bool film_finish(AVFormatContext *out);

/* --- film_copy.c --- */

/* The streams of the film as they are, without anything else: no tags, chapters, pictures of covers, data of cameras,
 * or messages within the coded video. */
bool film_copy(struct film *f);

/* --- encoders of film_picture.c and film_sound.c --- */

struct film_encoder {
        AVCodecContext *context;
        AVFormatContext *out;
        AVStream *stream;
        AVPacket *packet;
};

/* NULL: FFmpeg does not work. Set it up, then open it. */
AVCodecContext *film_new_encoder(const char *name, const AVFormatContext *out);
bool film_open_encoder(struct film_encoder *e, AVFormatContext *out, AVCodecContext *context);
/* frame NULL: the end. */
bool film_encode(struct film_encoder *e, const AVFrame *frame);
AVCodecContext *film_open_decoder(const AVStream *stream);

/* --- film_picture.c --- */

struct film_picture;
struct film_picture *film_picture_new(struct film *f, AVFormatContext *out);
/* packet NULL: the end. */
bool film_picture_take(struct film *f, struct film_picture *p, const AVPacket *packet);
/* Says its size, and saves its poster. */
bool film_picture_finish(struct film *f, struct film_picture *p);

/* --- film_sound.c --- */

struct film_sound;
/* To one or two files: encoders by their names. */
struct film_target {
        const char *encoder;
        AVFormatContext *out;
};
struct film_sound *film_sound_new(struct film *f, const struct film_target *targets, size_t n);
bool film_sound_take(struct film *f, struct film_sound *s, const AVPacket *packet);
void film_sound_say_waveform(const struct film_sound *s);

#endif
