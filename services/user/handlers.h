/* The handlers of user_service, as user.c lists them. */
#ifndef SERVICES_USER_HANDLERS_H
#define SERVICES_USER_HANDLERS_H

#include "bus/bus.h"
#include "db/db.h"
#include "services/services.h"
#include "services/user/user.rpc.h"

/* Named after the contract's methods, with the service's prefix where libc has the plain name. */
sn_status register_user(struct rpc_call *c, const User__RegisterRequest *in, User__Login *out);
sn_status log_in(struct rpc_call *c, const User__LogInRequest *in, User__Login *out);
sn_status refresh(struct rpc_call *c, const User__RefreshRequest *in, User__Login *out);
sn_status log_out(struct rpc_call *c, const User__LogOutRequest *in, Google__Protobuf__Empty *out);
sn_status list_sessions(struct rpc_call *c, const User__ListSessionsRequest *in, User__SessionList *out);
sn_status end_session(struct rpc_call *c, const User__EndSessionRequest *in, Google__Protobuf__Empty *out);
sn_status get_me(struct rpc_call *c, const User__GetMeRequest *in, User__User *out);
sn_status update_me(struct rpc_call *c, const User__UpdateMeRequest *in, User__User *out);
sn_status get_user(struct rpc_call *c, const User__GetUserRequest *in, User__User *out);
sn_status find_users(struct rpc_call *c, const User__FindUsersRequest *in, User__UserList *out);
sn_status batch_get_authors(struct rpc_call *c, const User__BatchGetAuthorsRequest *in, User__Authors *out);
sn_status resolve_usernames(struct rpc_call *c, const User__ResolveUsernamesRequest *in, User__Authors *out);
sn_status list_ended_sessions(struct rpc_call *c, const User__ListEndedSessionsRequest *in, User__EndedSessions *out);
sn_status get_jwks(struct rpc_call *c, const User__GetJwksRequest *in, User__Jwks *out);

extern const struct bus_consumer user_count_notes;
extern const struct bus_consumer user_count_follows;
extern const struct service_job user_cleanup;

#endif
