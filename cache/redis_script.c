/* The table of scripts: SHA-1 of each text, computed once, found by the text's address. */
#include "cache/redis_wire.h"

#include <openssl/evp.h>
#include <string.h>

static bool sha1_hex(const char *text, char out[41])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int len = 0;
        if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) != 1 || len != 20) {
                return false;
        }
        for (unsigned int i = 0; i < len; i++) {
                out[2 * i] = digits[digest[i] >> 4];
                out[2 * i + 1] = digits[digest[i] & 15];
        }
        out[40] = '\0';
        return true;
}

static struct redis_script_entry *find_script(struct redis *r, const char *lua)
{
        for (int i = 0; i < r->n_scripts; i++) {
                if (r->scripts[i].lua == lua) {
                        return &r->scripts[i];
                }
        }
        return NULL;
}

struct redis_script_entry *redis_script_entry_of(struct redis *r, const char *lua)
{
        pthread_mutex_lock(&r->lock);
        struct redis_script_entry *entry = find_script(r, lua);
        if (entry == NULL && r->n_scripts < REDIS_MAX_SCRIPTS && sha1_hex(lua, r->scripts[r->n_scripts].sha)) {
                entry = &r->scripts[r->n_scripts++];
                entry->lua = lua;
        }
        pthread_mutex_unlock(&r->lock);
        return entry;
}
