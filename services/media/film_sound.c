/* Owns the sound of a video, or sound alone: decodes it, resamples it to the rate and channels of each encoder, encodes
 * it, and computes its waveform. */
#include "services/media/film.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
        RATE = 48000, /* supported by all our encoders */
        CHANNELS = 2,
        TARGETS_MAX = 2,
        PEAK_RATE = 8000, /* sample rate for the waveform */
        PEAK_MS = 100,    /* duration of a peak */
        PEAKS_MAX = 144010,
        WAVEFORM = 100, /* number of values */
        GAP_MS = 100,   /* longer gaps are filled with silence */
};

struct sound_out {
        struct film_encoder to;
        SwrContext *converter;
        AVAudioFifo *waiting; /* encoders need frames of a fixed size */
        int64_t next_pts;
        bool has_begun;
};

struct film_sound {
        AVCodecContext *decoder;
        AVStream *from;
        AVFrame *decoded, *frame;
        struct sound_out outs[TARGETS_MAX];
        size_t n;
        SwrContext *to_mono;
        float peaks[PEAKS_MAX];
        int64_t n_samples;
};

/* --- opening --- */

static SwrContext *converter(const AVCodecContext *from, int rate, enum AVSampleFormat format, int channels)
{
        AVChannelLayout to = {0}, in = {0};
        SwrContext *swr = NULL;

        av.av_channel_layout_default(&to, channels);
        if (from->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
                av.av_channel_layout_default(&in, from->ch_layout.nb_channels);
        } else if (av.av_channel_layout_copy(&in, &from->ch_layout) < 0) {
                return NULL;
        }
        return av.swr_alloc_set_opts2(&swr, &to, format, rate, &in, from->sample_fmt, from->sample_rate, 0, NULL) >=
                           0 &&
                       av.swr_init(swr) >= 0
                   ? swr
                   : NULL;
}

/* Prefers integer samples: LAME aborts on the infinite floats that damaged AAC decodes to. */
static enum AVSampleFormat format_of(const AVCodec *encoder)
{
        for (const enum AVSampleFormat *f = encoder->sample_fmts; *f != AV_SAMPLE_FMT_NONE; f++) {
                if (*f == AV_SAMPLE_FMT_S16P || *f == AV_SAMPLE_FMT_S16) {
                        return *f;
                }
        }
        return encoder->sample_fmts[0];
}

static bool open_target(struct film_sound *s, const struct film_target *target, struct sound_out *out)
{
        AVCodecContext *e = film_new_encoder(target->encoder, target->out);

        if (e == NULL) {
                return false;
        }
        e->sample_rate = RATE;
        e->sample_fmt = format_of(e->codec);
        av.av_channel_layout_default(&e->ch_layout, s->decoder->ch_layout.nb_channels == 1 ? 1 : CHANNELS);
        e->bit_rate = 64000 * e->ch_layout.nb_channels;
        e->time_base = (AVRational){1, RATE};
        out->waiting = av.av_audio_fifo_alloc(e->sample_fmt, e->ch_layout.nb_channels, RATE);
        out->converter = converter(s->decoder, RATE, e->sample_fmt, e->ch_layout.nb_channels);
        return out->waiting != NULL && out->converter != NULL && film_open_encoder(&out->to, target->out, e);
}

static bool open_all(struct film_sound *s, const struct film_target *targets, size_t n)
{
        s->decoder = film_open_decoder(s->from);
        s->decoded = av.av_frame_alloc();
        s->frame = av.av_frame_alloc();
        if (s->decoder == NULL || s->decoded == NULL || s->frame == NULL || s->decoder->sample_rate <= 0 ||
            s->decoder->ch_layout.nb_channels <= 0 || s->decoder->sample_fmt == AV_SAMPLE_FMT_NONE) {
                return false;
        }
        s->to_mono = converter(s->decoder, PEAK_RATE, AV_SAMPLE_FMT_FLT, 1);
        for (; s->n < n; s->n++) {
                if (!open_target(s, &targets[s->n], &s->outs[s->n])) {
                        return false;
                }
        }
        return s->to_mono != NULL;
}

struct film_sound *film_sound_new(struct film *f, const struct film_target *targets, size_t n)
{
        static struct film_sound only; /* a child processes one film */
        struct film_sound *s = &only;

        s->from = f->in->streams[f->audio];
        return open_all(s, targets, n) ? s : NULL;
}

/* --- one frame for one encoder --- */

/* Sets up a frame of the encoder's format with this number of samples. */
static bool prepare_frame(struct film_sound *s, const struct sound_out *out, int samples)
{
        const AVCodecContext *e = out->to.context;
        AVFrame *frame = s->frame;

        av.av_frame_unref(frame);
        frame->format = e->sample_fmt;
        frame->sample_rate = RATE;
        frame->nb_samples = samples;
        return av.av_channel_layout_copy(&frame->ch_layout, &e->ch_layout) >= 0 &&
               av.av_frame_get_buffer(frame, 0) >= 0;
}

/* Encodes the buffered samples in frames of the encoder's size; at the end, all of them. */
static bool encode_waiting(struct film_sound *s, struct sound_out *out, bool end)
{
        int size = out->to.context->frame_size > 0 ? out->to.context->frame_size : 1024, waiting;

        while ((waiting = av.av_audio_fifo_size(out->waiting)) >= size || (end && waiting > 0)) {
                int samples = waiting < size ? waiting : size;

                if (!prepare_frame(s, out, samples) ||
                    av.av_audio_fifo_read(out->waiting, (void **)s->frame->data, samples) < samples) {
                        return false;
                }
                s->frame->pts = out->next_pts;
                out->next_pts += samples;
                if (!film_encode(&out->to, s->frame)) {
                        return false;
                }
        }
        return true;
}

static bool fill_gap(struct film_sound *s, struct sound_out *out, int64_t samples)
{
        while (samples > 0) {
                int n = samples < RATE ? (int)samples : RATE;

                if (!prepare_frame(s, out, n) ||
                    av.av_samples_set_silence(s->frame->data, 0, n, out->to.context->ch_layout.nb_channels,
                                              out->to.context->sample_fmt) < 0 ||
                    av.av_audio_fifo_write(out->waiting, (void **)s->frame->data, n) < n ||
                    !encode_waiting(s, out, false)) {
                        return false;
                }
                samples -= n;
        }
        return true;
}

/* The first frame determines when the sound begins. Gaps between frames are filled with silence. */
static bool keep_time(struct film_sound *s, struct sound_out *out)
{
        int64_t pts = s->decoded->best_effort_timestamp;

        if (pts == AV_NOPTS_VALUE) {
                return true;
        }
        pts = av.av_rescale_q(pts, s->from->time_base, out->to.context->time_base);
        if (!out->has_begun) {
                out->has_begun = true;
                out->next_pts = pts;
        }
        int64_t gap = pts - out->next_pts - av.av_audio_fifo_size(out->waiting);
        return gap < RATE * GAP_MS / 1000 || fill_gap(s, out, gap);
}

/* frame NULL flushes the converter. */
static bool convert_to(struct film_sound *s, struct sound_out *out, const AVFrame *frame)
{
        int most = av.swr_get_out_samples(out->converter, frame != NULL ? frame->nb_samples : 0);

        if (most <= 0) {
                return most == 0;
        }
        if (!prepare_frame(s, out, most)) {
                return false;
        }
        int n = av.swr_convert(out->converter, s->frame->data, most,
                               frame != NULL ? (const uint8_t **)frame->extended_data : NULL,
                               frame != NULL ? frame->nb_samples : 0);
        return n >= 0 && av.av_audio_fifo_write(out->waiting, (void **)s->frame->data, n) >= n &&
               encode_waiting(s, out, false);
}

/* --- the waveform --- */

static void note_peaks(struct film_sound *s)
{
        float samples[4096];
        uint8_t *out = (uint8_t *)samples;
        const uint8_t **in = (const uint8_t **)s->decoded->extended_data;
        int n_in = s->decoded->nb_samples, n;

        while ((n = av.swr_convert(s->to_mono, &out, 4096, in, n_in)) > 0) {
                for (int i = 0; i < n; i++) {
                        int64_t at = s->n_samples++ / (PEAK_RATE * PEAK_MS / 1000);
                        float level = fabsf(samples[i]);

                        if (at < PEAKS_MAX && level > s->peaks[at]) {
                                s->peaks[at] = level;
                        }
                }
                in = NULL;
                n_in = 0;
                if (n < 4096) {
                        return;
                }
        }
}

static int peak_between(const struct film_sound *s, int64_t from, int64_t to)
{
        float most = 0;

        for (int64_t i = from; i < to || i == from; i++) {
                most = s->peaks[i] > most ? s->peaks[i] : most;
        }
        return most >= 1 ? 100 : (int)lroundf(most * 100);
}

void film_sound_say_waveform(const struct film_sound *s)
{
        int64_t n = s->n_samples / (PEAK_RATE * PEAK_MS / 1000);

        n = n < 1 ? 1 : n > PEAKS_MAX ? PEAKS_MAX : n;
        int64_t said = n < WAVEFORM ? n : WAVEFORM;
        printf("waveform");
        for (int64_t i = 0; i < said; i++) {
                printf(" %d", peak_between(s, i * n / said, (i + 1) * n / said));
        }
        printf("\n");
}

/* --- the whole process --- */

/* False if the stream changes its rate or channels, which is rare and would need new converters. */
static bool is_same(const struct film_sound *s)
{
        return s->decoded->sample_rate == s->decoder->sample_rate && s->decoded->format == s->decoder->sample_fmt &&
               s->decoded->ch_layout.nb_channels == s->decoder->ch_layout.nb_channels;
}

static bool take_frame(struct film *f, struct film_sound *s)
{
        int64_t pts = s->decoded->best_effort_timestamp, at_us;

        if (pts != AV_NOPTS_VALUE &&
            !film_moment(f, s->from,
                         pts + av.av_rescale_q(s->decoded->nb_samples, (AVRational){1, s->decoder->sample_rate},
                                               s->from->time_base),
                         &at_us)) {
                return false;
        }
        if (s->n_samples > (int64_t)PEAK_RATE * f->limits->audio_s &&
            s->n_samples > (int64_t)PEAK_RATE * f->limits->video_s) {
                return film_fail(f, "it is too long");
        }
        if (!is_same(s)) {
                return film_fail(f, "its sound changes format midway");
        }
        for (size_t i = 0; i < s->n; i++) {
                if (!keep_time(s, &s->outs[i]) || !convert_to(s, &s->outs[i], s->decoded)) {
                        return film_fail(f, "its sound cannot be decoded");
                }
        }
        note_peaks(s);
        return true;
}

static bool finish_sound(struct film *f, struct film_sound *s)
{
        for (size_t i = 0; i < s->n; i++) {
                struct sound_out *out = &s->outs[i];

                if (!convert_to(s, out, NULL) || !encode_waiting(s, out, true) || !film_encode(&out->to, NULL)) {
                        return film_fail(f, "its sound cannot be decoded");
                }
        }
        return true;
}

bool film_sound_take(struct film *f, struct film_sound *s, const AVPacket *packet)
{
        (void)av.avcodec_send_packet(s->decoder, packet);
        while (av.avcodec_receive_frame(s->decoder, s->decoded) >= 0) {
                if (!take_frame(f, s)) {
                        return false;
                }
        }
        return packet != NULL || finish_sound(f, s);
}
