/* Processing a video or a sound in the sandboxed child. It is read once to copy its streams to an original without
 * metadata, and once more to re-encode it. */
#ifndef SERVICES_MEDIA_FILM_H
#define SERVICES_MEDIA_FILM_H

#include "services/media/av.h"
#include "services/media/child.h"

struct film {
        const struct child_file *file;
        const struct decode_limits *limits;
        AVFormatContext *in;
        int video, audio; /* stream indices; < 0 if there is none */
        int64_t end_us;   /* end of what was decoded, from the beginning */
        int tenths;       /* of the film that were reported as encoded */
        const char *reason;
};

/* Keeps the first reason. Returns false. */
bool film_fail(struct film *f, const char *reason);
/* Converts a timestamp of a stream to the time from the beginning of the film. False if it exceeds the maximum
 * duration. */
bool film_moment(struct film *f, const AVStream *stream, int64_t pts, int64_t *us);

/* --- film_io.c --- */

/* The input for libavformat. */
AVIOContext *film_open_input(const struct child_file *file);
/* A muxer that writes to a descriptor of the child, without metadata. NULL on failure. */
AVFormatContext *film_open_output(const char *format, enum decode_output which);
/* Writes the header, once all streams were added. */
bool film_begin(AVFormatContext *out);
bool film_finish(AVFormatContext *out);

/* --- film_copy.c --- */

/* Copies the streams of the film and nothing else: no tags, chapters, cover art, camera data, or user data within the
 * coded video. */
bool film_copy(struct film *f);

/* --- encoders of film_picture.c and film_sound.c --- */

struct film_encoder {
        AVCodecContext *context;
        AVFormatContext *out;
        AVStream *stream;
        AVPacket *packet;
};

/* The caller configures and opens it. NULL on failure. */
AVCodecContext *film_new_encoder(const char *name, const AVFormatContext *out);
bool film_open_encoder(struct film_encoder *e, AVFormatContext *out, AVCodecContext *context);
/* frame NULL flushes the encoder. */
bool film_encode(struct film_encoder *e, const AVFrame *frame);
AVCodecContext *film_open_decoder(const AVStream *stream);

/* --- film_picture.c --- */

struct film_picture;
struct film_picture *film_picture_new(struct film *f, AVFormatContext *out);
/* packet NULL flushes the decoder. */
bool film_picture_take(struct film *f, struct film_picture *p, const AVPacket *packet);
/* Reports its size and saves its poster. */
bool film_picture_finish(struct film *f, struct film_picture *p);

/* --- film_sound.c --- */

struct film_sound;
/* An output file and the name of its encoder; there are one or two. */
struct film_target {
        const char *encoder;
        AVFormatContext *out;
};
struct film_sound *film_sound_new(struct film *f, const struct film_target *targets, size_t n);
bool film_sound_take(struct film *f, struct film_sound *s, const AVPacket *packet);
void film_sound_say_waveform(const struct film_sound *s);

#endif
