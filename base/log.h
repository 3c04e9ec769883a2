/* Structured log, one line per event, on standard error: readable text on a terminal, ECS JSON (Elastic Common
 * Schema) otherwise. Must not contain secrets, text that a member wrote, or addresses. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
        const char *key;  /* ECS name ("event.duration", "error.message"), or a dotted name under "sonet." */
        const char *text; /* NULL: number is the value */
        int64_t number;
};

#define LOG_STR(key, value) ((struct log_field){(key), (value), 0})
#define LOG_INT(key, value) ((struct log_field){(key), 0, (value)})

void log_setup(const char *service, enum log_level least, enum log_format format);
void log_fields(enum log_level level, const char *message, const struct log_field *fields, int n);
bool log_enabled(enum log_level level);
/* Called once by a thread that must not wait for the reader of the log: an event loop. Its lines go through a queue
 * of 128 KiB and are written a moment later; what does not fit is dropped and counted (sonet_log_dropped_total). All
 * other threads write directly: the line is written when log_fields returns. */
void log_from_event_loop(void);

/* log_event(LOG_LEVEL_INFO, "listening", LOG_STR("url.full", url), LOG_INT("sonet.workers", 8)); fields are optional.
 */
#define log_event(level, ...) LOG_EVENT_(level, __VA_ARGS__, ((struct log_field){0}))
#define LOG_EVENT_(level, message, ...)                                                                                \
        log_fields((level), (message), (struct log_field[]){__VA_ARGS__},                                              \
                   (int)(sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)))

#endif
