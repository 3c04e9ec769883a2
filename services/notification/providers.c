/* Owns the providers named by the settings. */
#include "services/notification/providers.h"

#include <string.h>
#include "base/arena.h"
#include "base/str.h"

enum { PATH_BYTES = 4096 };

static struct push_adapter *sms, *codes, *mobile[PROVIDERS_MOBILE_MAX];
static size_t n_mobile;

static void forget_all(void)
{
        push_adapter_free(sms);
        push_adapter_free(codes);
        while (n_mobile > 0) {
                push_adapter_free(mobile[--n_mobile]);
        }
        sms = codes = NULL;
}

static sn_status add_mobile(struct str path, struct buf *error)
{
        char text[PATH_BYTES];

        if (path.len >= sizeof(text) || n_mobile == PROVIDERS_MOBILE_MAX) {
                buf_append_c(error, "MOBILE_PROVIDERS must be at most 8 file names, separated by commas");
                return SN_INVALID_ARGUMENT;
        }
        memcpy(text, path.ptr, path.len);
        text[path.len] = '\0';
        struct push_adapter *adapter = push_adapter_read(text, error);
        if (adapter == NULL) {
                return SN_INVALID_ARGUMENT;
        }
        if (providers_mobile(push_adapter_name(adapter)) != NULL) {
                buf_printf(error, "%s has the same name as another one of MOBILE_PROVIDERS", text);
                push_adapter_free(adapter);
                return SN_INVALID_ARGUMENT;
        }
        mobile[n_mobile++] = adapter;
        return SN_OK;
}

static sn_status add_sms(const char *path, struct buf *error)
{
        sms = push_adapter_read(path, error);
        codes = sms != NULL ? push_adapter_read(path, error) : NULL;
        return codes != NULL ? SN_OK : SN_INVALID_ARGUMENT;
}

sn_status providers_setup(const struct settings *settings, struct buf *error)
{
        struct str rest = str_of(settings->mobile_providers), path;

        forget_all();
        while (str_next(&rest, ',', &path)) {
                if (path.len > 0) {
                        TRY(add_mobile(path, error));
                }
        }
        return settings->sms_provider[0] != '\0' ? add_sms(settings->sms_provider, error) : SN_OK;
}

struct push_adapter *providers_sms(void)
{
        return sms;
}

struct push_adapter *providers_codes(void)
{
        return codes;
}

size_t providers_n_mobile(void)
{
        return n_mobile;
}

struct push_adapter *providers_mobile(const char *name)
{
        for (size_t i = 0; i < n_mobile; i++) {
                if (strcmp(push_adapter_name(mobile[i]), name) == 0) {
                        return mobile[i];
                }
        }
        return NULL;
}

char *providers_mobile_names(struct arena *arena)
{
        char *names = "";

        for (size_t i = 0; i < n_mobile; i++) {
                names = arena_printf(arena, "%s%s%s", names, i > 0 ? ", " : "", push_adapter_name(mobile[i]));
        }
        return names;
}
