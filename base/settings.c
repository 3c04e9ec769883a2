/* Parses and prints the settings table. It knows types, not meanings, except for constraints between settings. */
#include "base/settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/str.h"

enum setting_type { TYPE_STRING, TYPE_INT, TYPE_BOOL, TYPE_CHOICE };
enum { MAX_STRING_BYTES = 4096 };

struct setting {
        enum setting_type type;
        size_t offset; /* in struct settings */
        const char *variable;
        const char *text; /* default of strings and choices */
        int64_t number;   /* default of numbers and switches */
        int64_t min, max;
        const char *choices;
        bool secret;
        const char *help;
};

#define AT(field) offsetof(struct settings, field)
static const struct setting table[] = {
#define SETTING_STRING(field, variable, value, secret, help)                                                           \
        {TYPE_STRING, AT(field), variable, value, 0, 0, 0, NULL, secret, help},
#define SETTING_INT(field, variable, value, min, max, help)                                                            \
        {TYPE_INT, AT(field), variable, NULL, value, min, max, NULL, false, help},
#define SETTING_BOOL(field, variable, value, help)                                                                     \
        {TYPE_BOOL, AT(field), variable, NULL, value, 0, 0, NULL, false, help},
#define SETTING_CHOICE(field, variable, value, choices, help)                                                          \
        {TYPE_CHOICE, AT(field), variable, value, 0, 0, 0, choices, false, help},
#include "base/settings.def.h"
};
enum { N_SETTINGS = sizeof(table) / sizeof(table[0]) };

static const char **string_of(const struct settings *s, const struct setting *row)
{
        return (const char **)((uintptr_t)s + row->offset);
}

static int64_t *number_of(const struct settings *s, const struct setting *row)
{
        return (int64_t *)((uintptr_t)s + row->offset);
}

static bool *bool_of(const struct settings *s, const struct setting *row)
{
        return (bool *)((uintptr_t)s + row->offset);
}

static void set_default(struct settings *s, const struct setting *row)
{
        switch (row->type) {
        case TYPE_STRING:
        case TYPE_CHOICE:
                *string_of(s, row) = row->text;
                break;
        case TYPE_INT:
                *number_of(s, row) = row->number;
                break;
        case TYPE_BOOL:
                *bool_of(s, row) = row->number != 0;
                break;
        }
}

static bool parse_string(const char *value)
{
        size_t len = strlen(value);
        if (len > MAX_STRING_BYTES || !utf8_valid(value, len)) {
                return false;
        }
        for (size_t i = 0; i < len; i++) {
                if (iscntrl((unsigned char)value[i])) {
                        return false;
                }
        }
        return true;
}

static bool parse_bool(const char *value, bool *out)
{
        static const struct {
                const char *word;
                bool value;
        } words[] = {{"on", true},   {"true", true},   {"yes", true}, {"1", true},
                     {"off", false}, {"false", false}, {"no", false}, {"0", false}};
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                if (str_equal_nocase(str_of(value), str_of(words[i].word))) {
                        *out = words[i].value;
                        return true;
                }
        }
        return false;
}

static bool parse_int(const struct setting *row, const char *value, int64_t *out)
{
        int64_t number;
        if (!str_to_i64(str_of(value), &number) || number < row->min || number > row->max) {
                return false;
        }
        *out = number;
        return true;
}

static bool parse_choice(const struct setting *row, const char *value)
{
        struct str left = str_of(row->choices), choice;
        while (str_next(&left, '|', &choice)) {
                if (str_equal_c(choice, value)) {
                        return true;
                }
        }
        return false;
}

static bool parse(struct settings *s, const struct setting *row, const char *value)
{
        switch (row->type) {
        case TYPE_INT:
                return parse_int(row, value, number_of(s, row));
        case TYPE_BOOL:
                return parse_bool(value, bool_of(s, row));
        case TYPE_CHOICE:
                *string_of(s, row) = value;
                return parse_choice(row, value);
        case TYPE_STRING:
                *string_of(s, row) = value;
                return parse_string(value);
        }
        return false;
}

/* "one, two or three" */
static void append_choices(struct buf *out, const char *choices)
{
        struct str left = str_of(choices), choice;
        bool first = true;
        while (str_next(&left, '|', &choice)) {
                if (!first) {
                        buf_append_c(out, left.len == 0 ? " or " : ", ");
                }
                buf_append(out, choice.ptr, choice.len);
                first = false;
        }
}

static void append_allowed(struct buf *out, const struct setting *row)
{
        switch (row->type) {
        case TYPE_INT:
                buf_printf(out, "a whole number from %" PRId64 " to %" PRId64, row->min, row->max);
                break;
        case TYPE_BOOL:
                buf_append_c(out, "on or off");
                break;
        case TYPE_CHOICE:
                append_choices(out, row->choices);
                break;
        case TYPE_STRING:
                buf_printf(out, "UTF-8 text of at most %d bytes without control characters", MAX_STRING_BYTES);
                break;
        }
}

static void explain_refusal(struct buf *error, const struct setting *row, const char *value)
{
        buf_printf(error, "%s must be ", row->variable);
        append_allowed(error, row);
        if (row->type != TYPE_STRING && parse_string(value)) { /* only what is safe to print */
                buf_printf(error, ", not \"%.64s\"", value);
        }
}

sn_status settings_load(struct settings *s, struct buf *error)
{
        *s = (struct settings){0};
        for (size_t i = 0; i < N_SETTINGS; i++) {
                const struct setting *row = &table[i];
                set_default(s, row);
                const char *value = getenv(row->variable);
                if (value != NULL && value[0] != '\0' && !parse(s, row, value)) {
                        explain_refusal(error, row, value);
                        return SN_INVALID_ARGUMENT;
                }
        }
        return SN_OK;
}

bool settings_is_loopback(const char *address)
{
        struct in_addr four;
        struct in6_addr six;
        if (inet_pton(AF_INET, address, &four) == 1) {
                return ntohl(four.s_addr) >> 24 == 127;
        }
        if (inet_pton(AF_INET6, address, &six) == 1) {
                return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
        }
        return strcmp(address, "localhost") == 0;
}

int64_t settings_descriptors(const struct settings *s)
{
        enum {
                OF_A_PROCESS = 100, /* sockets that listen, queues of events, logs */
                OF_A_SERVICE = 4,   /* in addition to its pool: a lease, and connections to it if it is remote */
                OF_A_FILE = 2,      /* the ends of a pipe, when it comes from another process */
        };
        int64_t services = 0;
#define SERVICE(name, NAME) services++;
#include "base/services.def.h"
        return OF_A_PROCESS + services * (OF_A_SERVICE + s->database_pool) + s->redis_pool + s->spool_files +
               OF_A_FILE * s->answer_files;
}

int settings_grpc_port(const struct settings *s)
{
        if (s->grpc_port != 0 || s->http_port == 0) {
                return (int)s->grpc_port;
        }
        return (int)s->http_port + 1;
}

static sn_status check_unlimited(const char *name, const char *address, struct buf *error)
{
        if (settings_is_loopback(address)) {
                return SN_OK;
        }
        buf_printf(error, "SONET_RATE_LIMITS=off is accepted on loopback only, and %s is %s", name, address);
        return SN_INVALID_ARGUMENT;
}

/* As sent by browsers: scheme://host[:port] and nothing else (RFC 6454, section 6.1). */
static bool is_origin(struct str origin)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        char text[300];

        if (origin.len >= sizeof(text)) {
                return false;
        }
        memcpy(text, origin.ptr, origin.len);
        text[origin.len] = '\0';
        size_t scheme = strspn(text, "+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        return strspn(text, letters) > 0 && strncmp(text + scheme, "://", 3) == 0 && text[scheme + 3] != '\0' &&
               strpbrk(text + scheme + 3, "/?#@* \t\\\"") == NULL;
}

/* An origin that no browser sends would silently admit no page at all. */
static sn_status check_origins(const char *origins, struct buf *error)
{
        struct str rest = str_of(origins), one;

        if (strcmp(origins, "*") == 0 || strcmp(origins, "none") == 0) {
                return SN_OK;
        }
        while (str_next(&rest, ',', &one)) {
                one = str_trim(one);
                if (!is_origin(one)) {
                        buf_printf(error,
                                   "CORS_ORIGINS must be *, none, or comma-separated origins like https://example.org, "
                                   "but \"%.*s\" is not one",
                                   one.len < 64 ? (int)one.len : 64, one.ptr);
                        return SN_INVALID_ARGUMENT;
                }
        }
        return SN_OK;
}

static sn_status check_networks(const char *name, const char *list, struct buf *error)
{
        struct networks networks;
        struct str bad;

        if (networks_parse(list, &networks, &bad)) {
                return SN_OK;
        }
        buf_printf(error,
                   "%s must be at most %d comma-separated addresses or networks like 127.0.0.1, 10.0.0.0/8 or ::1, but "
                   "\"%.*s\" "
                   "is not one",
                   name, NETWORKS_MAX, bad.len < 64 ? (int)bad.len : 64, bad.ptr);
        return SN_INVALID_ARGUMENT;
}

static sn_status check_public_url(const char *url, struct buf *error)
{
        bool http = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;

        if (url[0] == '\0' || (http && is_origin(str_of(url)))) {
                return SN_OK;
        }
        buf_append_c(error, "PUBLIC_URL must be an address like https://social.example.org, without a path");
        return SN_INVALID_ARGUMENT;
}

sn_status settings_check(const struct settings *s, struct buf *error)
{
        TRY(check_public_url(s->public_url, error));
        TRY(check_origins(s->cors_origins, error));
        TRY(check_networks("TRUSTED_PROXIES", s->trusted_proxies, error));
        TRY(check_networks("PUSH_NETWORKS", s->push_networks, error));
        if (!s->rate_limits) {
                TRY(check_unlimited("HTTP_ADDRESS", s->http_address, error));
                TRY(check_unlimited("GRPC_ADDRESS", s->grpc_address, error));
        }
        int tls_files = (s->grpc_tls_cert[0] != '\0') + (s->grpc_tls_key[0] != '\0') + (s->grpc_tls_ca[0] != '\0');
        if (tls_files != 0 && tls_files != 3) {
                buf_append_c(error,
                             "GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA belong together: set all three or none");
                return SN_INVALID_ARGUMENT;
        }
        if (tls_files == 0 && !settings_is_loopback(s->grpc_address)) {
                buf_printf(
                    error,
                    "GRPC_ADDRESS=%s needs GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA: without TLS, gRPC is served "
                    "on loopback addresses only",
                    s->grpc_address);
                return SN_INVALID_ARGUMENT;
        }
        int grpc_port = settings_grpc_port(s);
        if (grpc_port > 65535) {
                buf_append_c(error, "GRPC_PORT must be set when HTTP_PORT is 65535: there is no next port");
                return SN_INVALID_ARGUMENT;
        }
        if (grpc_port != 0 && grpc_port == s->http_port) {
                buf_printf(error, "GRPC_PORT and HTTP_PORT are both %d: they must differ", grpc_port);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

/* scheme://user:password@host… without the password; nothing of a URL that may have it elsewhere. */
static void append_masked(struct buf *out, const char *value)
{
        const char *host = strstr(value, "://");
        if (host == NULL || strstr(value, "password") != NULL) {
                buf_append_c(out, value[0] == '\0' ? "" : "***");
                return;
        }
        host += 3;
        /* A password may hold '@' or '/' that should have been escaped: mask up to the last '@'. */
        const char *at = strrchr(host, '@');
        const char *colon = at == NULL ? NULL : memchr(host, ':', (size_t)(at - host));
        if (colon == NULL) {
                buf_append_c(out, value);
                return;
        }
        buf_append(out, value, (size_t)(colon + 1 - value));
        buf_append_c(out, "***");
        buf_append_c(out, at);
}

static void append_value(struct buf *out, const struct settings *s, const struct setting *row)
{
        switch (row->type) {
        case TYPE_INT:
                buf_append_i64(out, *number_of(s, row));
                break;
        case TYPE_BOOL:
                buf_append_c(out, *bool_of(s, row) ? "on" : "off");
                break;
        case TYPE_STRING:
        case TYPE_CHOICE:
                if (row->secret) {
                        append_masked(out, *string_of(s, row));
                } else {
                        buf_append_c(out, *string_of(s, row));
                }
                break;
        }
}

void settings_print(const struct settings *s, struct buf *out)
{
        struct settings defaults;
        for (size_t i = 0; i < N_SETTINGS; i++) {
                const struct setting *row = &table[i];
                buf_printf(out, "# %s", row->help);
                if (row->type != TYPE_STRING) {
                        buf_append_c(out, " (");
                        append_allowed(out, row);
                        buf_append_c(out, ")");
                }
                set_default(&defaults, row);
                buf_append_c(out, "; default ");
                size_t before = out->len;
                append_value(out, &defaults, row);
                buf_append_c(out, out->len == before ? "none\n" : "\n");
                buf_printf(out, "%s=", row->variable);
                append_value(out, s, row);
                buf_append_char(out, '\n');
        }
}

bool settings_number(const struct settings *s, struct str variable, int64_t *value)
{
        for (size_t i = 0; i < N_SETTINGS; i++) {
                if (table[i].type == TYPE_INT && str_equal_c(variable, table[i].variable)) {
                        *value = *(const int64_t *)((uintptr_t)s + table[i].offset);
                        return true;
                }
        }
        return false;
}

/* The value of "NOTE" + suffix for the service "note"; "" if the table has no such row. */
static const char *of_service(const struct settings *s, const char *service, const char *suffix)
{
        size_t len = strlen(service);
        for (size_t i = 0; i < N_SETTINGS; i++) {
                const struct setting *row = &table[i];
                struct str variable = str_of(row->variable);
                if (row->type == TYPE_STRING && variable.len > len && strcmp(variable.ptr + len, suffix) == 0 &&
                    str_equal_nocase((struct str){variable.ptr, len}, str_of(service))) {
                        return *string_of(s, row);
                }
        }
        return "";
}

const char *settings_service_url(const struct settings *s, const char *service)
{
        return of_service(s, service, "_URL");
}

static const char *replace_service_name(struct arena *arena, const char *url, const char *service)
{
        static const char placeholder[] = "{service_name}";
        const char *found = strstr(url, placeholder);
        if (found == NULL) {
                return url;
        }
        const char *rest = replace_service_name(arena, found + sizeof(placeholder) - 1, service);
        return arena_printf(arena, "%.*s%s_service%s", (int)(found - url), url, service, rest);
}

const char *settings_database_url(struct arena *arena, const struct settings *s, const char *service)
{
        const char *own = of_service(s, service, "_DATABASE_URL");
        return replace_service_name(arena, own[0] != '\0' ? own : s->database_url, service);
}

enum log_level settings_log_level(const struct settings *s)
{
        static const char *const names[] = {[LOG_LEVEL_DEBUG] = "debug",
                                            [LOG_LEVEL_INFO] = "info",
                                            [LOG_LEVEL_WARN] = "warn",
                                            [LOG_LEVEL_ERROR] = "error"};
        for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_ERROR; i++) {
                if (strcmp(s->log_level, names[i]) == 0) {
                        return (enum log_level)i;
                }
        }
        return LOG_LEVEL_INFO;
}

enum log_format settings_log_format(const struct settings *s)
{
        if (strcmp(s->log_format, "text") == 0) {
                return LOG_FORMAT_TEXT;
        }
        return strcmp(s->log_format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_AUTO;
}
