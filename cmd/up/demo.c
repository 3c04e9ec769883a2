/* Owns DATA/demo-account. The password is written before the account is created, so that the next start continues
 * one that was interrupted: nothing is created twice, and no account is left without its password. */
#include "cmd/up/demo.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"

#define PASSWORD_LENGTH 20
#define REGISTER_MS     15000

static void close_p(int *fd)
{
        if (*fd >= 0) {
                close(*fd);
        }
}

/* Without letters and digits that look alike, since people type it. */
static void draw_password(char out[44])
{
        static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";

        for (int i = 0; i < PASSWORD_LENGTH; i++) {
                out[i] = letters[random_below(sizeof(letters) - 1)];
        }
        out[PASSWORD_LENGTH] = '\0';
}

static bool read_password(const char *path, char out[44])
{
        CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        char text[256] = "";
        ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

        return len > 0 && sscanf(text, "username " DEMO_USERNAME "\npassword %40[a-z0-9]\n", out) == 1;
}

static bool write_password(const char *path, const char *password)
{
        char text[256];
        int len = snprintf(text, sizeof(text), "username " DEMO_USERNAME "\npassword %s\n", password);
        CLEANUP(close_p) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

        return fd >= 0 && write(fd, text, (size_t)len) == len && fsync(fd) == 0;
}

/* 201, or 409 from an earlier start whose response was lost: then the password must match. */
static bool register_account(const struct http_target *target, const char *password)
{
        CLEANUP(buf_free) struct buf answer;
        char json[256];

        buf_init(&answer, 65536);
        snprintf(json, sizeof(json),
                 "{\"username\":\"" DEMO_USERNAME "\",\"email\":\"" DEMO_USERNAME "@example.org\",\"password\":\"%s\","
                 "\"display_name\":\"Demo\"}",
                 password);
        int status = http_exchange(target, "POST", "/v1/auth/register", json, REGISTER_MS, &answer);
        if (status == 409) {
                snprintf(json, sizeof(json), "{\"login\":\"" DEMO_USERNAME "\",\"password\":\"%s\"}", password);
                status = http_exchange(target, "POST", "/v1/auth/login", json, REGISTER_MS, &answer);
        }
        if (status != 201 && status != 200) {
                log_event(LOG_LEVEL_WARN, "could not create a demo account",
                          LOG_INT("http.response.status_code", status));
                return false;
        }
        return true;
}

void demo_ensure(struct demo *demo, const struct http_target *target, const char *folder)
{
        char path[PATH_MAX], planned[PATH_MAX];

        snprintf(path, sizeof(path), "%s/demo-account", folder);
        snprintf(planned, sizeof(planned), "%s/demo-account.new", folder);
        if (read_password(path, demo->password)) {
                return;
        }
        if (!read_password(planned, demo->password)) {
                draw_password(demo->password);
                if (!write_password(planned, demo->password)) {
                        demo->password[0] = '\0';
                        return;
                }
        }
        if (!register_account(target, demo->password) || rename(planned, path) != 0) {
                demo->password[0] = '\0';
        }
}

void demo_print(const struct demo *demo, const struct http_target *target, const char *grpc, const char *folder,
                struct buf *out)
{
        char url[128];

        snprintf(url, sizeof(url), "http://%s:%d", target->host, target->port);
        buf_printf(out, "\n  Address  %s (open it in a browser)\n", url);
        buf_printf(out, "  gRPC     %s\n", grpc);
        if (demo->password[0] == '\0') { /* not requested */
                buf_printf(out, "  Members  register with POST %s/v1/auth/register\n", url);
                buf_append_c(out, "\nCtrl-C stops SoNet.\n");
                return;
        }
        buf_printf(out, "  Account  " DEMO_USERNAME ", password %s (kept in %s/demo-account)\n", demo->password,
                   folder);
        buf_printf(out, "\nThree things to try, in another terminal:\n\n");
        buf_printf(out, "  # 1. log in\n");
        buf_printf(
            out,
            "  TOKEN=$(curl -s %s/v1/auth/login -H 'Content-Type: application/json' -d '{\"login\":\"" DEMO_USERNAME
            "\",\"password\":\"%s\"}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n",
            url, demo->password);
        buf_printf(out, "  # 2. post a first note\n");
        buf_printf(out,
                   "  curl -s %s/v1/notes -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' "
                   "-d '{\"text\":\"Hello, world\",\"visibility\":\"public\"}'\n",
                   url);
        buf_printf(out, "  # 3. read the home timeline\n");
        buf_printf(out, "  curl -s %s/v1/timelines/home -H \"Authorization: Bearer $TOKEN\"\n", url);
        buf_append_c(out, "\nCtrl-C stops SoNet.\n");
}
