/* How wrong passwords slow down the tries that follow. They count for the name that was typed, whether anybody has it
 * or not, so that the limit tells nothing:
 *
 *   from one network (an IPv4 address, a /64)    10 are free
 *   from everywhere                              100 are free
 *
 * and after those each further one doubles the wait for the next try, from 15 seconds to 15 minutes. What is older than
 * an hour does not count. Tries from a device that logged the member in before (device_token.h) count for that device
 * alone, and only they slow it down: whatever others do, its owner gets in. */
#ifndef SERVICES_USER_LOGIN_LIMIT_H
#define SERVICES_USER_LOGIN_LIMIT_H

#include "base/call.h"
#include "services/user/user_rows.rpc.h"

/* The part of an address whose tries count together. */
char *login_limit_network(struct arena *arena, const char *address);
/* Seconds until the next try may be made; 0: now. */
int login_limit_wait_s(const UserRows__LoginFailures *failures, bool known_device);
/* SN_RESOURCE_EXHAUSTED (too_many_failures) while it may not. */
SN_CHECKED sn_status login_limit_check(struct rpc_call *c, const UserRows__LoginFailures *failures, bool known_device);
/* The same for codes of a second factor: ten are free, from everywhere together. */
SN_CHECKED sn_status login_limit_check_code(struct rpc_call *c, const UserRows__LoginFailures *failures,
                                            bool known_device);

#endif
