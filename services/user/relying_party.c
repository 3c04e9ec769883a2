/* Owns this network's identity as a relying party. */
#include "services/user/relying_party.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_ORIGIN = 300 };

static char origin[MAX_ORIGIN] = ""; /* "https://social.example.org:8443"; "" for localhost */
static char host[MAX_ORIGIN] = "localhost";

static void drop_end(const char *scheme, const char *end)
{
        size_t len = strlen(origin), n = strlen(end);

        if (strncmp(origin, scheme, strlen(scheme)) == 0 && len > n && strcmp(origin + len - n, end) == 0) {
                origin[len - n] = '\0';
        }
}

/* An origin is lowercase and omits its scheme's default port (WHATWG URL, 4.7 and 4.3). */
static void spell_as_browsers_do(void)
{
        for (char *c = origin; *c != '\0'; c++) {
                *c = (char)tolower((unsigned char)*c);
        }
        drop_end("https://", ":443");
        drop_end("http://", ":80");
}

void relying_party_start(const char *public_url)
{
        const char *after = strstr(public_url, "://");
        size_t authority = after != NULL ? strcspn(after + 3, "/?#") : 0;

        if (authority == 0) {
                origin[0] = '\0';
                (void)snprintf(host, sizeof(host), "localhost");
                return;
        }
        (void)snprintf(origin, sizeof(origin), "%.*s", (int)(after + 3 - public_url + (long)authority), public_url);
        spell_as_browsers_do();
        (void)snprintf(host, sizeof(host), "%.*s", (int)strcspn(strstr(origin, "://") + 3, ":"),
                       strstr(origin, "://") + 3);
}

const char *relying_party_name(void)
{
        return origin[0] != '\0' ? host : "SoNet";
}

const char *relying_party_id(void)
{
        return host;
}

bool relying_party_has_origin(const char *text)
{
        static const char local[] = "http://localhost";

        if (origin[0] != '\0') {
                return strcasecmp(text, origin) == 0;
        }
        const char *rest = strncmp(text, local, sizeof(local) - 1) == 0 ? text + sizeof(local) - 1 : "?";
        return rest[0] == '\0' || (rest[0] == ':' && rest[1 + strspn(rest + 1, "0123456789")] == '\0');
}
