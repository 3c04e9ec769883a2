/* The echo service, and what tests of rpc/ need around it. */
#ifndef RPC_TESTDATA_ECHO_H
#define RPC_TESTDATA_ECHO_H

#include "rpc/rpc.h"
#include "rpc/testdata/echo.rpc.h"

extern struct service echo_service;

#define ECHO_MEMBER "01890a5d-ac96-774b-bcce-b302099a8057"

/* A call as the gateway makes it, without a log-in; free with rpc_call_free. */
struct rpc_call *echo_call_new(void);
/* Makes the call one of ECHO_MEMBER, whose token has these scopes. */
void echo_log_in(struct rpc_call *c, const char *scopes);
/* The same, with a proof of who it is that was given so long ago. */
void echo_log_in_ago(struct rpc_call *c, const char *scopes, int64_t seconds);

/* Handlers of Wait stay inside until the gate opens. */
void echo_gate_close(void);
void echo_gate_open(void);
void echo_gate_await(int inside); /* returns when so many handlers wait */
/* How often a handler ran since the last question. */
int echo_runs(void);
/* Bodies so far that broke off. */
int echo_parts(void);
/* Keys and signer; once. */
void echo_setup(void);

#endif
