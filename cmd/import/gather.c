/* Owns walking folders of texts. */
#include "cmd/import/gather.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 16 /* each costs a path on the stack */

static bool ends_with(const char *path, const char *end)
{
        size_t len = strlen(path), end_len = strlen(end);

        return len > end_len && strcmp(path + len - end_len, end) == 0;
}

static bool is_folder(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Also of "off/". */
static bool is_named_off(const char *path)
{
        size_t len = strlen(path);

        while (len > 1 && path[len - 1] == '/') {
                len--;
        }
        return len >= 3 && memcmp(path + len - 3, "off", 3) == 0 && (len == 3 || path[len - 4] == '/');
}

static void leave_out(struct import_texts *texts, const char *path)
{
        if (texts->left_out++ == 0) {
                snprintf(texts->first_left_out, sizeof(texts->first_left_out), "%.*s",
                         (int)sizeof(texts->first_left_out) - 1, path);
        }
}

static void read_folder(struct import_texts *texts, const char *folder, int depth);

/* Other kinds of files, and dangling links, are ignored. */
static void read_entry(struct import_texts *texts, const char *path, int depth)
{
        struct stat own, target;
        CLEANUP(buf_free) struct buf reason;

        buf_init(&reason, 4096);
        if (lstat(path, &own) != 0 || stat(path, &target) != 0) {
                return;
        }
        if (S_ISDIR(own.st_mode)) {
                read_folder(texts, path, depth + 1);
        } else if (S_ISREG(target.st_mode) && !ends_with(path, ".dat") &&
                   !(S_ISLNK(own.st_mode) && ends_with(path, ".u8")) &&
                   import_texts_read(texts, path, &reason) != SN_OK) {
                leave_out(texts, path);
        }
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

static void read_folder(struct import_texts *texts, const char *folder, int depth)
{
        struct dirent **entries = NULL;
        int n = is_named_off(folder) ? 0 : depth > MAX_DEPTH ? -1 : scandir(folder, &entries, is_shown, by_name);

        if (n < 0) {
                leave_out(texts, folder);
        }
        for (int i = 0; i < n; i++) {
                char path[PATH_MAX];
                int len = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
                if (len > 0 && (size_t)len < sizeof(path)) {
                        read_entry(texts, path, depth);
                } else {
                        leave_out(texts, folder);
                }
                free(entries[i]);
        }
        free(entries);
}

sn_status import_texts_gather(struct import_texts *texts, const char *path, struct buf *error)
{
        if (is_folder(path)) {
                read_folder(texts, path, 0);
                return SN_OK;
        }
        return ends_with(path, ".dat") ? SN_OK
                                       : import_texts_read(texts, path, error); /* a shell's * matches these, too */
}
