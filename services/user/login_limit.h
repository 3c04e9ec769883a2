/* How wrong passwords delay the next attempts. They count for the name that was entered, whether or not it exists, so
 * that the limit reveals nothing:
 *
 *   from one network (an IPv4 address, a /64)    10 are free
 *   from anywhere                                100 are free
 *
 * Each further one doubles the delay before the next attempt, from 15 seconds to 15 minutes. Failures older than an
 * hour do not count. Attempts from a device on which the member has logged in before (device_token.h) count only for
 * that device, and only they delay it: whatever others do, the owner can log in. */
#ifndef SERVICES_USER_LOGIN_LIMIT_H
#define SERVICES_USER_LOGIN_LIMIT_H

#include "base/call.h"
#include "services/user/user_rows.rpc.h"

/* The part of an address whose attempts count together. */
char *login_limit_network(struct arena *arena, const char *address);
/* Seconds until the next attempt is allowed; 0: now. */
int login_limit_wait_s(const UserRows__LoginFailures *failures, bool known_device);
/* SN_RESOURCE_EXHAUSTED (too_many_failures) while it is not. */
SN_CHECKED sn_status login_limit_check(struct rpc_call *c, const UserRows__LoginFailures *failures, bool known_device);
/* The same for codes of a second factor: ten are free, from everywhere together. */
SN_CHECKED sn_status login_limit_check_code(struct rpc_call *c, const UserRows__LoginFailures *failures,
                                            bool known_device);

#endif
