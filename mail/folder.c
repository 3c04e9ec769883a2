/* Owns the folder that mails are written to if there is no mail server. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "mail/parts.h"

enum { KEPT_S = 7 * 86400 };

static bool write_all(int fd, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, bytes, len);

                if (n < 0 && errno != EINTR) {
                        return false;
                }
                bytes += n > 0 ? n : 0;
                len -= n > 0 ? (size_t)n : 0;
        }
        return true;
}

static bool write_file(const char *path, const struct mail_item *item)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        bool done = fd >= 0 && write_all(fd, item->message, item->message_len) && fsync(fd) == 0;

        return (fd < 0 || close(fd) == 0) && done;
}

void mail_folder_write(const struct mail_options *options, const struct mail_item *item, struct mail_result *result)
{
        char path[PATH_MAX], part[PATH_MAX + 8];
        bool done;

        (void)snprintf(path, sizeof(path), "%s/%s.eml", options->folder, item->id);
        (void)snprintf(part, sizeof(part), "%s.part", path);
        done =
            (mkdir(options->folder, 0700) == 0 || errno == EEXIST) && write_file(part, item) && rename(part, path) == 0;
        result->outcome = done ? MAIL_SENT : MAIL_UNREACHABLE;
        (void)snprintf(result->reason, sizeof(result->reason), "%s",
                       done ? "" : strerror(errno)); /* NOLINT(concurrency-mt-unsafe): glibc's is */
        if (done) {
                log_event(LOG_LEVEL_INFO, "SMTP_URL is not set: wrote the mail to a file", LOG_STR("file.path", path),
                          LOG_STR("sonet.mail.kind", item->kind));
        }
}

static bool is_mail(const char *name)
{
        const char *end = strrchr(name, '.');

        return end != NULL && end - name >= UUID_SIZE - 1 && (strcmp(end, ".eml") == 0 || strcmp(end, ".part") == 0);
}

void mail_folder_clean(const struct mail_options *options, int64_t now_s)
{
        DIR *folder = opendir(options->folder);

        for (struct dirent *entry = NULL; folder != NULL && (entry = readdir(folder)) != NULL;) {
                struct stat file;

                if (is_mail(entry->d_name) && fstatat(dirfd(folder), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISREG(file.st_mode) && now_s - file.st_mtime > KEPT_S) {
                        (void)unlinkat(dirfd(folder), entry->d_name, 0);
                }
        }
        if (folder != NULL) {
                (void)closedir(folder);
        }
}
