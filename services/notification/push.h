/* Shared by the files on pushes. */
#ifndef SERVICES_NOTIFICATION_PUSH_H
#define SERVICES_NOTIFICATION_PUSH_H

#include "base/settings.h"
#include "db/db.h"
#include "push/push.h"
#include "services/notification/queue.h"

#define PUSH_TIMEOUT_MS 10000 /* for one push or SMS */
#define PUSH_AT_ONCE    200   /* messages in flight per lane */

/* Reads the settings; call it before starting threads. */
void push_setup(const struct settings *settings);
const struct push_options *push_settings(void);

/* A push replaces earlier ones with the same collapse key. */
const char *push_collapse_key(const struct outgoing *delivery);
/* The title of a push, or the sentence of an SMS: that of the newest notification of a delivery. */
struct template_text push_title(const struct outgoing *delivery, enum channel channel);
/* The payload of a push, or of its retraction, as JSON in the arena; at most PUSH_TEXT_MAX bytes. */
struct str push_text(struct arena *arena, const struct outgoing *delivery);

#endif
