/* Owns making the original of a video or a sound: the same coded streams in a new container and nothing else. */
#include "services/media/film.h"

#include <stdlib.h>
#include <string.h>
#include "services/media/strip.h"

enum { COPIED_MAX = 2, VORBIS_COMMENT_BYTES = 16 };

struct copied {
        int from;
        AVStream *to;
        AVBSFContext *filter;
};

static const struct {
        const char *mime_type, *format;
        bool same_tags; /* keep the codec tags of the input */
} formats[] = {
    {"video/mp4", "mp4", true},    {"video/quicktime", "mov", true}, {"audio/x-m4a", "ipod", true},
    {"video/webm", "webm", false}, {"audio/ogg", "ogg", false},
};

/* --- metadata within streams --- */

/* Removes user data within the coded video, where some cameras store locations. */
static const char *filter_of(enum AVCodecID codec)
{
        switch (codec) {
        case AV_CODEC_ID_H264:
                return "filter_units=remove_types=6";
        case AV_CODEC_ID_HEVC:
                return "filter_units=remove_types=39-40";
        case AV_CODEC_ID_AV1:
                return "filter_units=remove_types=5";
        default:
                return "null";
        }
}

/* Vorbis has three header packets, whose lengths are laced as in Ogg. The second contains the comments, and is
 * replaced: empty vendor, no comments, and the framing bit. */
static bool clean_vorbis(AVCodecParameters *p)
{
        static const uint8_t empty[VORBIS_COMMENT_BYTES] = "\3vorbis\0\0\0\0\0\0\0\0\1";
        int sizes[2] = {0, 0}, at = 1;

        if (p->extradata_size < 1 || p->extradata[0] != 2) {
                return false;
        }
        for (int i = 0; i < 2; i++) {
                do {
                        if (at >= p->extradata_size) {
                                return false;
                        }
                        sizes[i] += p->extradata[at];
                } while (p->extradata[at++] == 255);
        }
        if (sizes[0] > 254 || sizes[0] + sizes[1] > p->extradata_size - at || sizes[1] < VORBIS_COMMENT_BYTES) {
                return false;
        }
        uint8_t *out = p->extradata, *first = out + at, *last = first + sizes[0] + sizes[1];
        size_t rest = (size_t)(out + p->extradata_size - last);
        out[1] = (uint8_t)sizes[0];
        out[2] = VORBIS_COMMENT_BYTES;
        memmove(out + 3, first, (size_t)sizes[0]);
        memcpy(out + 3 + sizes[0], empty, VORBIS_COMMENT_BYTES);
        memmove(out + 3 + sizes[0] + VORBIS_COMMENT_BYTES, last, rest);
        p->extradata_size = 3 + sizes[0] + VORBIS_COMMENT_BYTES + (int)rest;
        return true;
}

/* --- streams --- */

/* Copies the rotation, which players need. */
static bool copy_turn(const AVStream *from, AVStream *to)
{
        size_t size = 0;
        const uint8_t *matrix = av.av_stream_get_side_data(from, AV_PKT_DATA_DISPLAYMATRIX, &size);
        uint8_t *copy = matrix != NULL ? av.av_stream_new_side_data(to, AV_PKT_DATA_DISPLAYMATRIX, size) : NULL;

        if (copy != NULL) {
                memcpy(copy, matrix, size);
        }
        return matrix == NULL || copy != NULL;
}

static bool add_stream(struct film *f, AVFormatContext *out, int from, bool same_tags, struct copied *c)
{
        const AVStream *in = f->in->streams[from];

        c->from = from;
        c->to = av.avformat_new_stream(out, NULL);
        if (c->to == NULL || av.av_bsf_list_parse_str(filter_of(in->codecpar->codec_id), &c->filter) < 0 ||
            av.avcodec_parameters_copy(c->filter->par_in, in->codecpar) < 0) {
                return false;
        }
        c->filter->time_base_in = in->time_base;
        if (av.av_bsf_init(c->filter) < 0 || av.avcodec_parameters_copy(c->to->codecpar, c->filter->par_out) < 0 ||
            (in->codecpar->codec_id == AV_CODEC_ID_VORBIS && !clean_vorbis(c->to->codecpar))) {
                return false;
        }
        c->to->codecpar->codec_tag = same_tags ? in->codecpar->codec_tag : 0;
        c->to->time_base = in->time_base;
        c->to->avg_frame_rate = in->avg_frame_rate;
        return copy_turn(in, c->to);
}

/* --- packets --- */

static bool write_packet(AVFormatContext *out, struct copied *c, AVPacket *packet)
{
        if (av.av_bsf_send_packet(c->filter, packet) < 0) {
                return false;
        }
        while (av.av_bsf_receive_packet(c->filter, packet) >= 0) {
                av.av_packet_rescale_ts(packet, c->filter->time_base_out, c->to->time_base);
                packet->stream_index = c->to->index;
                packet->pos = -1;
                if (av.av_interleaved_write_frame(out, packet) < 0) {
                        return false;
                }
        }
        return true;
}

static bool copy_packets(struct film *f, AVFormatContext *out, struct copied *copied, size_t n)
{
        AVPacket *packet = av.av_packet_alloc();
        int result;

        while (packet != NULL && (result = av.av_read_frame(f->in, packet)) >= 0) {
                for (size_t i = 0; i < n; i++) {
                        if (packet->stream_index == copied[i].from) {
                                if (!write_packet(out, &copied[i], packet)) {
                                        return film_fail(f, "it is damaged");
                                }
                                break;
                        }
                }
                av.av_packet_unref(packet);
        }
        return packet != NULL && (result == AVERROR_EOF || film_fail(f, "it is truncated or damaged"));
}

static bool copy_streams(struct film *f, const char *format, bool same_tags)
{
        AVFormatContext *out = film_open_output(format, DECODE_ORIGINAL);
        struct copied copied[COPIED_MAX];
        size_t n = 0;

        if (out == NULL || (f->video >= 0 && !add_stream(f, out, f->video, same_tags, &copied[n++])) ||
            (f->audio >= 0 && !add_stream(f, out, f->audio, same_tags, &copied[n++])) || !film_begin(out)) {
                return film_fail(f, "its streams do not match its file type");
        }
        return copy_packets(f, out, copied, n) && (film_finish(out) || film_fail(f, "it is damaged"));
}

bool film_copy(struct film *f)
{
        int fd = DECODE_FIRST_FD + DECODE_ORIGINAL;
        const struct strip mp3 = {.in = f->file->bytes, .len = f->file->len, .write = child_write, .context = &fd};

        if (strcmp(f->file->mime_type, "audio/mpeg") == 0) {
                return strip_mp3(&mp3) || film_fail(f, "it is truncated or damaged");
        }
        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
                if (strcmp(f->file->mime_type, formats[i].mime_type) == 0) {
                        return copy_streams(f, formats[i].format, formats[i].same_tags);
                }
        }
        return film_fail(f, "its format is not supported");
}
