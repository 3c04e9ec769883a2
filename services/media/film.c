/* Owns processing a video or a sound in the sandboxed child. Its streams are chosen, checked, copied to an original
 * without metadata, and re-encoded: video as H.264 and AAC in MP4, sound alone as MP3 and as Opus in Ogg. */
#include "services/media/film.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "services/media/ogg.h"

#define SECOND_US INT64_C(1000000)

bool film_fail(struct film *f, const char *reason)
{
        if (f->reason == NULL) {
                f->reason = reason;
        }
        return false;
}

static int64_t longest_us(const struct film *f)
{
        return (f->video >= 0 ? f->limits->video_s : f->limits->audio_s) * SECOND_US;
}

bool film_moment(struct film *f, const AVStream *stream, int64_t pts, int64_t *us)
{
        int64_t begins_us = f->in->start_time != AV_NOPTS_VALUE ? f->in->start_time : 0;

        *us = av.av_rescale_q(pts, stream->time_base, AV_TIME_BASE_Q) - begins_us;
        f->end_us = *us > f->end_us ? *us : f->end_us;
        return f->end_us <= longest_us(f) + SECOND_US || film_fail(f, "it is too long");
}

/* --- codecs --- */

AVCodecContext *film_open_decoder(const AVStream *stream)
{
        const AVCodec *codec = av.avcodec_find_decoder(stream->codecpar->codec_id);
        AVCodecContext *c = codec != NULL ? av.avcodec_alloc_context3(codec) : NULL;

        if (c == NULL || av.avcodec_parameters_to_context(c, stream->codecpar) < 0) {
                return NULL;
        }
        c->pkt_timebase = stream->time_base;
        c->thread_count = 2;
        return av.avcodec_open2(c, codec, NULL) >= 0 ? c : NULL;
}

AVCodecContext *film_new_encoder(const char *name, const AVFormatContext *out)
{
        const AVCodec *codec = av.avcodec_find_encoder_by_name(name);
        AVCodecContext *c = codec != NULL ? av.avcodec_alloc_context3(codec) : NULL;

        if (c != NULL) {
                c->flags |= AV_CODEC_FLAG_BITEXACT |
                            ((out->oformat->flags & AVFMT_GLOBALHEADER) != 0 ? AV_CODEC_FLAG_GLOBAL_HEADER : 0);
        }
        return c;
}

bool film_open_encoder(struct film_encoder *e, AVFormatContext *out, AVCodecContext *context)
{
        e->context = context;
        e->out = out;
        e->packet = av.av_packet_alloc();
        e->stream = av.avformat_new_stream(out, NULL);
        if (e->packet == NULL || e->stream == NULL || av.avcodec_open2(context, context->codec, NULL) < 0) {
                return false;
        }
        e->stream->time_base = context->time_base;
        e->stream->avg_frame_rate = context->framerate;
        return av.avcodec_parameters_from_context(e->stream->codecpar, context) >= 0;
}

bool film_encode(struct film_encoder *e, const AVFrame *frame)
{
        if (av.avcodec_send_frame(e->context, frame) < 0) {
                return false;
        }
        while (av.avcodec_receive_packet(e->context, e->packet) >= 0) {
                av.av_packet_rescale_ts(e->packet, e->context->time_base, e->stream->time_base);
                e->packet->stream_index = e->stream->index;
                if (av.av_interleaved_write_frame(e->out, e->packet) < 0) {
                        return false;
                }
        }
        return true;
}

/* --- opening --- */

/* Uses only the demuxer of the type found by libmagic and the decoders of the setting; no other part of FFmpeg parses
 * the file. */
static bool open_streams(struct film *f)
{
        static const char *const demuxers[][2] = {
            {"video/mp4", "mov"},       {"video/quicktime", "mov"}, {"audio/x-m4a", "mov"},
            {"video/webm", "matroska"}, {"audio/mpeg", "mp3"},      {"audio/ogg", "ogg"},
        };
        const AVInputFormat *format = NULL;

        for (size_t i = 0; i < sizeof(demuxers) / sizeof(demuxers[0]); i++) {
                if (strcmp(f->file->mime_type, demuxers[i][0]) == 0) {
                        format = av.av_find_input_format(demuxers[i][1]);
                }
        }
        f->in = av.avformat_alloc_context();
        if (format == NULL || f->in == NULL || (f->in->pb = film_open_input(f->file)) == NULL) {
                return film_fail(f, "its format is not supported");
        }
        AVDictionary *options = NULL;
        if (av.av_dict_set(&options, "codec_whitelist", f->limits->decoders, 0) < 0 ||
            av.avformat_open_input(&f->in, NULL, format, &options) < 0 ||
            av.avformat_find_stream_info(f->in, NULL) < 0) {
                return film_fail(f, "it is truncated or damaged");
        }
        f->video = av.av_find_best_stream(f->in, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
        f->audio = av.av_find_best_stream(f->in, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
        if (f->video >= 0 && (f->in->streams[f->video]->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) {
                f->video = -1; /* cover art */
        }
        return true;
}

/* --- checks --- */

static bool is_in_list(const char *list, const char *word)
{
        size_t len = strlen(word);

        for (const char *at = list; (at = strstr(at, word)) != NULL; at += len) {
                if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0')) {
                        return true;
                }
        }
        return false;
}

static bool check_codec(struct film *f, int stream)
{
        static char reason[100];

        if (stream < 0) {
                return true;
        }
        enum AVCodecID id = f->in->streams[stream]->codecpar->codec_id;
        const AVCodec *decoder = av.avcodec_find_decoder(id);
        if (decoder != NULL && is_in_list(f->limits->decoders, decoder->name)) {
                return true;
        }
        (void)snprintf(reason, sizeof(reason), "its codec is not supported here: %s", av.avcodec_get_name(id));
        return film_fail(f, reason);
}

static bool check_streams(struct film *f)
{
        if (f->video < 0 && f->audio < 0) {
                return film_fail(f, "it contains neither video nor sound");
        }
        if (!check_codec(f, f->video) || !check_codec(f, f->audio)) {
                return false;
        }
        if (f->in->duration != AV_NOPTS_VALUE && f->in->duration > longest_us(f)) {
                return film_fail(f, "it is too long");
        }
        if (f->video >= 0) {
                const AVCodecParameters *p = f->in->streams[f->video]->codecpar;

                if (p->width > f->limits->side || p->height > f->limits->side) {
                        return film_fail(f, "its width or height is too large");
                }
                return (p->width > 0 && p->height > 0) || film_fail(f, "its video cannot be decoded");
        }
        return true;
}

/* A file that announces more than it contains was truncated. */
static bool check_end(struct film *f)
{
        int64_t announced_us = f->in->duration;
        bool is_guess = f->in->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE;

        return announced_us == AV_NOPTS_VALUE || is_guess ||
               f->end_us + announced_us / 10 + SECOND_US >= announced_us || film_fail(f, "it is truncated or damaged");
}

/* --- encoding --- */

struct encoders {
        struct film_picture *picture;
        struct film_sound *sound;
        AVFormatContext *outs[2];
        size_t n_outs;
};

static bool begin_outputs(struct film *f, struct encoders *e)
{
        struct film_target targets[2] = {{"libmp3lame", NULL}, {"libopus", NULL}};
        bool with_video = f->video >= 0;

        e->n_outs = with_video ? 1 : 2;
        e->outs[0] = film_open_output(with_video ? "mp4" : "mp3", with_video ? DECODE_MP4 : DECODE_MP3);
        e->outs[1] = with_video ? NULL : film_open_output("ogg", DECODE_OGG);
        targets[0] = with_video ? (struct film_target){"aac", e->outs[0]} : targets[0];
        for (size_t i = 0; i < e->n_outs; i++) {
                if (e->outs[i] == NULL) {
                        return false;
                }
                targets[i].out = e->outs[i];
        }
        if ((with_video && (e->picture = film_picture_new(f, e->outs[0])) == NULL) ||
            (f->audio >= 0 && (e->sound = film_sound_new(f, targets, e->n_outs)) == NULL)) {
                return false;
        }
        for (size_t i = 0; i < e->n_outs; i++) {
                if (!film_begin(e->outs[i])) {
                        return false;
                }
        }
        return true;
}

static bool take_packet(struct film *f, struct encoders *e, const AVPacket *packet)
{
        if (packet->stream_index == f->video) {
                return film_picture_take(f, e->picture, packet);
        }
        return packet->stream_index != f->audio || film_sound_take(f, e->sound, packet);
}

/* Tells the parent after each tenth of what the file announces. */
static void say_progress(struct film *f)
{
        int64_t whole_us = f->in->duration; /* negative if unknown */
        int tenths = whole_us > 0 ? (int)(f->end_us * 10 / whole_us) : 0;

        if (tenths > f->tenths && tenths < 10) {
                f->tenths = tenths;
                printf("progress %d\n", 10 * tenths);
                (void)fflush(stdout);
        }
}

static bool take_packets(struct film *f, struct encoders *e)
{
        AVPacket *packet = av.av_packet_alloc();
        bool ok = packet != NULL;

        while (ok && av.av_read_frame(f->in, packet) >= 0) {
                ok = take_packet(f, e, packet);
                av.av_packet_unref(packet);
                say_progress(f);
        }
        return ok && (e->picture == NULL || film_picture_take(f, e->picture, NULL)) &&
               (e->sound == NULL || film_sound_take(f, e->sound, NULL));
}

static bool encode_film(struct film *f)
{
        struct encoders e = {NULL};

        if (!begin_outputs(f, &e)) {
                return film_fail(f, "it cannot be decoded");
        }
        if (!take_packets(f, &e) || !check_end(f)) {
                return false;
        }
        for (size_t i = 0; i < e.n_outs; i++) {
                if (!film_finish(e.outs[i])) {
                        return film_fail(f, "the processed result is too large");
                }
        }
        printf("duration %lld\n", (long long)(f->end_us / 1000));
        if (e.picture != NULL) {
                return film_picture_finish(f, e.picture);
        }
        printf("sound\n");
        film_sound_say_waveform(e.sound);
        return true;
}

int film_process(const struct child_file *file, const struct decode_limits *limits)
{
        struct film first = {.file = file, .limits = limits, .video = -1, .audio = -1}, second = first;

        /* FFmpeg would accept a truncated file as complete. */
        if (strcmp(file->mime_type, "audio/ogg") == 0 && !ogg_is_whole(file->bytes, file->len)) {
                return child_fail("it is truncated or damaged");
        }
        if (!open_streams(&first) || !check_streams(&first) || !film_copy(&first)) {
                return child_fail(first.reason);
        }
        if (!open_streams(&second) || !check_streams(&second) || !encode_film(&second)) {
                return child_fail(second.reason);
        }
        printf("done\n");
        return fflush(stdout);
}
