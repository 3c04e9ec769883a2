/* Settings: everything configured by the environment, read once at start. The table is base/settings.def.h. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/status.h"
#include "base/str.h"

/* Strings are constants or point into the environment; a string that is not set is "". */
struct settings {
#define SETTING_STRING(field, ...) const char *field;
#define SETTING_INT(field, ...)    int64_t field;
#define SETTING_BOOL(field, ...)   bool field;
#define SETTING_CHOICE(field, ...) const char *field;
#include "base/settings.def.h"
};

/* Reads the environment; an empty variable counts as not set. SN_INVALID_ARGUMENT with a sentence in error that
 * gives the variable, its value (unless it is secret) and the allowed values. */
SN_CHECKED sn_status settings_load(struct settings *s, struct buf *error);
/* Checks constraints on settings, after the command line has changed some: rate limits off and gRPC without TLS on
 * loopback only, TLS files all or none, different ports, valid origins, proxies that are networks. */
SN_CHECKED sn_status settings_check(const struct settings *s, struct buf *error);
/* Every setting as VARIABLE=value under its help, passwords masked. */
void settings_print(const struct settings *s, struct buf *out);

/* The value of a number, by its variable. False: there is no such number. */
bool settings_number(const struct settings *s, struct str variable, int64_t *value);
/* The URL of a service's database ("note"): its own, or DATABASE_URL with {service_name} replaced. "" if neither is
 * set. */
const char *settings_database_url(struct arena *arena, const struct settings *s, const char *service);
/* The address of a service in another process; "" if not given. */
const char *settings_service_url(const struct settings *s, const char *service);
/* How many descriptors a process needs in addition to those of its clients' connections. */
int64_t settings_descriptors(const struct settings *s);
int settings_grpc_port(const struct settings *s); /* 0: any free one */
enum log_level settings_log_level(const struct settings *s);
enum log_format settings_log_format(const struct settings *s);
/* A loopback address, or "localhost". */
bool settings_is_loopback(const char *address);

#endif
