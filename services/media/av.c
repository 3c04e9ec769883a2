/* Owns loading FFmpeg's libraries, in the versions whose headers this was compiled with. */
#include "services/media/av.h"

#include <dlfcn.h>

struct av_functions av;

#define QUOTED(text)        #text
#define SONAME(name, major) "lib" name ".so." QUOTED(major)

static void *load_library(const char *soname)
{
        return dlopen(soname, RTLD_NOW | RTLD_LOCAL);
}

static bool load_all(void)
{
        bool ok = true;
        void *library = NULL;

#define LOAD(name) ok = ok && (*(void **)&av.name = dlsym(library, #name)) != NULL;
        ok = ok && (library = load_library(SONAME("avutil", LIBAVUTIL_VERSION_MAJOR))) != NULL;
        AVUTIL_FUNCTIONS(LOAD)
        ok = ok && (library = load_library(SONAME("avcodec", LIBAVCODEC_VERSION_MAJOR))) != NULL;
        AVCODEC_FUNCTIONS(LOAD)
        ok = ok && (library = load_library(SONAME("avformat", LIBAVFORMAT_VERSION_MAJOR))) != NULL;
        AVFORMAT_FUNCTIONS(LOAD)
        ok = ok && (library = load_library(SONAME("swscale", LIBSWSCALE_VERSION_MAJOR))) != NULL;
        SWSCALE_FUNCTIONS(LOAD)
        ok = ok && (library = load_library(SONAME("swresample", LIBSWRESAMPLE_VERSION_MAJOR))) != NULL;
        SWRESAMPLE_FUNCTIONS(LOAD)
#undef LOAD
        return ok;
}

bool av_load(void)
{
        static const char *const encoders[] = {"libx264", "aac", "libmp3lame", "libopus"};
        bool ok = load_all();

        for (size_t i = 0; ok && i < sizeof(encoders) / sizeof(encoders[0]); i++) {
                ok = av.avcodec_find_encoder_by_name(encoders[i]) != NULL;
        }
        if (ok) {
                av.av_log_set_level(AV_LOG_QUIET);
        }
        return ok;
}
