/* Shared by the files of user_service. */
#ifndef SERVICES_USER_USER_H
#define SERVICES_USER_USER_H

#include "bus/bus.h"
#include "db/db.h"
#include "services/services.h"
#include "services/user/user.service.h"

#define EVENT_SESSION_ENDED "session.ended"     /* aggregate: the session; actor: its member */
#define EVENT_USER_CHANGED  "user.changed"      /* aggregate: the member, whom others now see differently */
#define EVENT_EPOCH_RAISED  "user.epoch_raised" /* aggregate: the member; version: lower epochs are invalid */
#define EVENT_USER_ERASED   "user.erased"       /* aggregate: the member, all of whose data must be erased */
/* Aggregate: a member whom others can no longer see at all (deactivated or suspended), or can see again. */
#define EVENT_USER_HIDDEN "user.hidden"
#define EVENT_USER_SHOWN  "user.shown"
#define EVENT_USER_OPENED "user.opened" /* aggregate: a member whose account became public; version: of its privacy */

/* "security.password_changed": what the owner of an account is informed of, named as in mails.h; aggregate and
 * actor: the member, whoever did it. */
#define EVENT_SECURITY(template) "security." template

/* For media_service only: an account shows a picture, or no longer does; aggregate: an ID for that use of it. */
#define EVENT_USER_MEDIA_ATTACHED "user.media_attached"
#define EVENT_USER_MEDIA_DETACHED "user.media_detached"

/* Jobs with notification (services/jobs.h). */
extern const struct service_job user_make_exports, user_password_resets;

/* store_export.c */
extern const struct service_export user_exports[];

#endif
