/* Owns the pictures of a video: decodes, scales and encodes them as H.264, and keeps one as the poster. */
#include "services/media/film.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The poster is the first picture after this time, since many videos begin with black; in shorter videos it is the last
 * one. */
#define POSTER_US INT64_C(1000000)

struct film_picture {
        AVCodecContext *decoder;
        struct film_encoder to;
        AVStream *from;
        AVFrame *decoded, *scaled;
        struct SwsContext *scaler, *poster_scaler;
        uint8_t *poster; /* RGB, in the size of the encoded frames */
        bool has_poster;
        int quarters; /* clockwise */
        int64_t last_pts;
};

/* --- sizes --- */

/* Even, as 4:2:0 requires; otherwise never larger than the input. */
static void fit_into(int side, int *width, int *height)
{
        int longest = *width > *height ? *width : *height;
        double scale = longest > side ? (double)side / longest : 1;
        int w = (int)lround(*width * scale / 2) * 2, h = (int)lround(*height * scale / 2) * 2;

        *width = w < 2 ? 2 : w;
        *height = h < 2 ? 2 : h;
}

static int quarters_of(const AVStream *stream)
{
        size_t size = 0;
        const uint8_t *matrix = av.av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);

        if (matrix == NULL || size < 9 * sizeof(int32_t)) {
                return 0;
        }
        double degrees = -av.av_display_rotation_get((const int32_t *)(const void *)matrix);
        return isnan(degrees) ? 0 : (int)((lround(degrees / 90) % 4 + 4) % 4);
}

/* --- opening --- */

/* Keeps the rotation, which players apply as they did to the original. */
static bool keep_turn(const struct film_picture *p)
{
        size_t size = 0;
        const uint8_t *matrix = av.av_stream_get_side_data(p->from, AV_PKT_DATA_DISPLAYMATRIX, &size);
        uint8_t *copy =
            matrix != NULL ? av.av_stream_new_side_data(p->to.stream, AV_PKT_DATA_DISPLAYMATRIX, size) : NULL;

        for (size_t i = 0; copy != NULL && i < size; i++) {
                copy[i] = matrix[i];
        }
        return matrix == NULL || copy != NULL;
}

static bool open_encoder(struct film *f, struct film_picture *p, AVFormatContext *out)
{
        AVCodecContext *e = film_new_encoder("libx264", out);

        if (e == NULL) {
                return false;
        }
        e->width = p->from->codecpar->width;
        e->height = p->from->codecpar->height;
        fit_into(f->limits->video_side, &e->width, &e->height);
        e->pix_fmt = AV_PIX_FMT_YUV420P;
        e->time_base = p->from->time_base;
        e->framerate = p->from->avg_frame_rate;
        e->sample_aspect_ratio = p->from->codecpar->sample_aspect_ratio;
        e->thread_count = 2;
        e->rc_max_rate = 4000000;
        e->rc_buffer_size = 8000000;
        return av.av_opt_set(e->priv_data, "preset", "veryfast", 0) >= 0 &&
               av.av_opt_set(e->priv_data, "crf", "23", 0) >= 0 && film_open_encoder(&p->to, out, e) && keep_turn(p);
}

static bool open_frames(struct film_picture *p)
{
        AVFrame *s = av.av_frame_alloc();

        p->decoded = av.av_frame_alloc();
        p->scaled = s;
        p->poster = malloc((size_t)3 * (size_t)p->to.context->width * (size_t)p->to.context->height);
        if (p->decoded == NULL || s == NULL || p->poster == NULL) {
                return false;
        }
        s->format = AV_PIX_FMT_YUV420P;
        s->width = p->to.context->width;
        s->height = p->to.context->height;
        return true;
}

struct film_picture *film_picture_new(struct film *f, AVFormatContext *out)
{
        static struct film_picture only; /* a child processes one film */
        struct film_picture *p = &only;

        p->from = f->in->streams[f->video];
        p->last_pts = INT64_MIN;
        p->quarters = quarters_of(p->from);
        p->decoder = film_open_decoder(p->from);
        return p->decoder != NULL && open_encoder(f, p, out) && open_frames(p) ? p : NULL;
}

/* --- pictures --- */

/* Converts a frame of any size and format to the encoder's. */
static bool scale_frame(struct film_picture *p, struct SwsContext **scaler, enum AVPixelFormat format,
                        uint8_t *const *planes, const int *strides)
{
        const AVFrame *d = p->decoded;

        *scaler = av.sws_getCachedContext(*scaler, d->width, d->height, d->format, p->to.context->width,
                                          p->to.context->height, format, SWS_BICUBIC, NULL, NULL, NULL);
        return *scaler != NULL && av.sws_scale(*scaler, (const uint8_t *const *)d->data, d->linesize, 0, d->height,
                                               planes, strides) == p->to.context->height;
}

static bool keep_poster(struct film_picture *p, int64_t at_us)
{
        if (p->has_poster) {
                return true;
        }
        p->has_poster = at_us >= POSTER_US;
        return scale_frame(p, &p->poster_scaler, AV_PIX_FMT_RGB24, &p->poster, &(int){3 * p->to.context->width});
}

static bool encode_frame(struct film *f, struct film_picture *p)
{
        int64_t pts = p->decoded->best_effort_timestamp, at_us = 0;
        AVFrame *s = p->scaled;
        const struct decode_limits *limits = f->limits;

        if (p->decoded->width > limits->side || p->decoded->height > limits->side) {
                return film_fail(f, "its width or height is too large");
        }
        if (pts == AV_NOPTS_VALUE || pts <= p->last_pts) {
                return true; /* decoded but never shown */
        }
        p->last_pts = pts;
        if (!film_moment(f, p->from, pts + p->decoded->pkt_duration, &at_us)) {
                return false;
        }
        av.av_frame_unref(s);
        s->format = AV_PIX_FMT_YUV420P;
        s->width = p->to.context->width;
        s->height = p->to.context->height;
        s->pts = av.av_rescale_q(pts, p->from->time_base, p->to.context->time_base);
        return (av.av_frame_get_buffer(s, 0) >= 0 &&
                scale_frame(p, &p->scaler, AV_PIX_FMT_YUV420P, s->data, s->linesize) && keep_poster(p, at_us) &&
                film_encode(&p->to, s)) ||
               film_fail(f, "its video cannot be decoded");
}

/* Skips damaged packets, as players do. */
bool film_picture_take(struct film *f, struct film_picture *p, const AVPacket *packet)
{
        (void)av.avcodec_send_packet(p->decoder, packet);
        while (av.avcodec_receive_frame(p->decoder, p->decoded) >= 0) {
                if (!encode_frame(f, p)) {
                        return false;
                }
        }
        return packet != NULL || film_encode(&p->to, NULL) || film_fail(f, "its video cannot be decoded");
}

bool film_picture_finish(struct film *f, struct film_picture *p)
{
        int width = p->from->codecpar->width, height = p->from->codecpar->height;
        bool turned = p->quarters % 2 != 0;
        const struct child_still still = {p->poster, p->to.context->width, p->to.context->height, p->quarters};

        if (p->last_pts == INT64_MIN) {
                return film_fail(f, "its video cannot be decoded");
        }
        printf("size %d %d\n", turned ? height : width, turned ? width : height);
        printf("file %d %d %d\n", (int)DECODE_MP4, turned ? still.height : still.width,
               turned ? still.width : still.height);
        return child_save_poster(&still, DECODE_POSTER) || film_fail(f, "its video cannot be decoded");
}
