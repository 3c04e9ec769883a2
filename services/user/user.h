/* What the files of user_service share. */
#ifndef SERVICES_USER_USER_H
#define SERVICES_USER_USER_H

#include "bus/bus.h"
#include "db/db.h"
#include "services/services.h"
#include "services/user/user.service.h"

#define EVENT_SESSION_ENDED "session.ended"     /* aggregate: the session; actor: whose it was */
#define EVENT_USER_CHANGED  "user.changed"      /* aggregate: the member, of whom others see something else now */
#define EVENT_EPOCH_RAISED  "user.epoch_raised" /* aggregate: the member; version: tokens of lower epochs are over */
#define EVENT_USER_ERASED   "user.erased"       /* aggregate: the member, of whom nothing is to stay */
#define EVENT_USER_OPENED   "user.opened" /* aggregate: whose account is private no more; version: of its privacy */

/* "security.password_changed": what the owner of an account is told of, by the names of mails.h; aggregate and actor:
 * the member, whoever did it. */
#define EVENT_SECURITY(template) "security." template

/* For media_service alone: an account shows a picture, or no longer does; aggregate: an id for that use of it. */
#define EVENT_USER_MEDIA_ATTACHED "user.media_attached"
#define EVENT_USER_MEDIA_DETACHED "user.media_detached"

/* Jobs that are announced (services/jobs.h). */
extern const struct service_job user_make_exports, user_password_resets;

/* store_export.c */
extern const struct service_export user_exports[];

#endif
