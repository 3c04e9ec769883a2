/* Pushes to browsers: what the files about them share. */
#ifndef SERVICES_NOTIFICATION_PUSH_H
#define SERVICES_NOTIFICATION_PUSH_H

#include "base/settings.h"
#include "db/db.h"
#include "push/push.h"
#include "services/notification/queue.h"

#define PUSH_TIMEOUT_MS 10000 /* of one push, or SMS */
#define PUSH_AT_ONCE    200   /* on their way in a lane */

/* From the settings; before any thread is started. */
void push_setup(const struct settings *settings);
const struct push_options *push_settings(void);

/* What is pushed under the same collapse key replaces what was pushed before. */
const char *push_collapse_key(const struct outgoing *delivery);
/* The sentence that a push, or an SMS, says: of the newest notification of a delivery. */
struct template_text push_title(const struct outgoing *delivery, enum channel channel);
/* What a push says of a delivery, or that it is retracted, as JSON in the arena: at most PUSH_TEXT_MAX bytes. */
struct str push_text(struct arena *arena, const struct outgoing *delivery);

#endif
