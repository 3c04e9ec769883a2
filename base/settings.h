/* Settings: all that the environment may tell, read once at start. The table is base/settings.def.h. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/status.h"

/* Strings are constants or point into the environment; a string that is not set is "". */
struct settings {
#define SETTING_STRING(field, ...) const char *field;
#define SETTING_INT(field, ...)    int64_t field;
#define SETTING_BOOL(field, ...)   bool field;
#define SETTING_CHOICE(field, ...) const char *field;
#include "base/settings.def.h"
};

/* Reads the environment; a variable that is empty counts as not set. SN_INVALID_ARGUMENT with a sentence in error that
 * names the variable, what it holds (unless it is a secret) and what it may hold. */
SN_CHECKED sn_status settings_load(struct settings *s, struct buf *error);
/* What must hold of and between settings, after the command line changed some: rate limits off and gRPC in clear on
 * loopback only, TLS files all or none, ports apart, origins that a browser can send, proxies that are networks. */
SN_CHECKED sn_status settings_check(const struct settings *s, struct buf *error);
/* Every setting as VARIABLE=value under its help, passwords masked. */
void settings_print(const struct settings *s, struct buf *out);

/* The URL of a service's database ("note"): its own, or DATABASE_URL, with {service_name} filled in. "" when neither is
 * set. */
const char *settings_database_url(struct arena *arena, const struct settings *s, const char *service);
/* Where a service is when it is not in this process; "" when not given. */
const char *settings_service_url(const struct settings *s, const char *service);
/* How many descriptors a process needs beside those of its clients' connections. */
int64_t settings_descriptors(const struct settings *s);
int settings_grpc_port(const struct settings *s); /* 0: any free one */
enum log_level settings_log_level(const struct settings *s);
enum log_format settings_log_format(const struct settings *s);
/* A literal address of this machine alone, or "localhost". */
bool settings_is_loopback(const char *address);

#endif
