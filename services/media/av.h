/* FFmpeg's libraries, loaded at run time and only by the sandboxed child: av.NAME is their function NAME. */
#ifndef SERVICES_MEDIA_AV_H
#define SERVICES_MEDIA_AV_H

#include <stdbool.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
#pragma GCC diagnostic pop

#define AVUTIL_FUNCTIONS(F)                                                                                            \
        F(av_log_set_level)                                                                                            \
        F(av_malloc)                                                                                                   \
        F(av_rescale_q)                                                                                                \
        F(av_frame_alloc)                                                                                              \
        F(av_frame_unref)                                                                                              \
        F(av_frame_get_buffer)                                                                                         \
        F(av_opt_set)                                                                                                  \
        F(av_dict_set)                                                                                                 \
        F(av_channel_layout_default)                                                                                   \
        F(av_channel_layout_copy)                                                                                      \
        F(av_audio_fifo_alloc)                                                                                         \
        F(av_audio_fifo_write)                                                                                         \
        F(av_audio_fifo_read)                                                                                          \
        F(av_audio_fifo_size)                                                                                          \
        F(av_samples_set_silence)                                                                                      \
        F(av_display_rotation_get)

#define AVCODEC_FUNCTIONS(F)                                                                                           \
        F(avcodec_find_decoder)                                                                                        \
        F(avcodec_find_encoder_by_name)                                                                                \
        F(avcodec_get_name)                                                                                            \
        F(avcodec_alloc_context3)                                                                                      \
        F(avcodec_parameters_to_context)                                                                               \
        F(avcodec_parameters_from_context)                                                                             \
        F(avcodec_parameters_copy)                                                                                     \
        F(avcodec_open2)                                                                                               \
        F(avcodec_send_packet)                                                                                         \
        F(avcodec_receive_frame)                                                                                       \
        F(avcodec_send_frame)                                                                                          \
        F(avcodec_receive_packet)                                                                                      \
        F(av_packet_alloc)                                                                                             \
        F(av_packet_unref)                                                                                             \
        F(av_packet_rescale_ts)                                                                                        \
        F(av_bsf_list_parse_str)                                                                                       \
        F(av_bsf_init)                                                                                                 \
        F(av_bsf_send_packet)                                                                                          \
        F(av_bsf_receive_packet)

#define AVFORMAT_FUNCTIONS(F)                                                                                          \
        F(av_find_input_format)                                                                                        \
        F(avformat_alloc_context)                                                                                      \
        F(avformat_open_input)                                                                                         \
        F(avformat_find_stream_info)                                                                                   \
        F(av_find_best_stream)                                                                                         \
        F(av_read_frame)                                                                                               \
        F(av_stream_get_side_data)                                                                                     \
        F(av_stream_new_side_data)                                                                                     \
        F(avformat_alloc_output_context2)                                                                              \
        F(avformat_new_stream)                                                                                         \
        F(avformat_write_header)                                                                                       \
        F(av_interleaved_write_frame)                                                                                  \
        F(av_write_trailer)                                                                                            \
        F(avio_alloc_context)                                                                                          \
        F(avio_flush)

#define SWSCALE_FUNCTIONS(F)                                                                                           \
        F(sws_getCachedContext)                                                                                        \
        F(sws_scale)

#define SWRESAMPLE_FUNCTIONS(F)                                                                                        \
        F(swr_alloc_set_opts2)                                                                                         \
        F(swr_init)                                                                                                    \
        F(swr_convert)                                                                                                 \
        F(swr_get_out_samples)

struct av_functions {
#define DECLARE(name) __typeof__(&name) name;
        AVUTIL_FUNCTIONS(DECLARE)
        AVCODEC_FUNCTIONS(DECLARE)
        AVFORMAT_FUNCTIONS(DECLARE)
        SWSCALE_FUNCTIONS(DECLARE)
        SWRESAMPLE_FUNCTIONS(DECLARE)
#undef DECLARE
};
extern struct av_functions av;

/* False if a library is missing or cannot encode H.264, AAC, MP3 or Opus. */
bool av_load(void);

#endif
