/* The echo service, and helpers for the tests of rpc/. */
#ifndef RPC_TESTDATA_ECHO_H
#define RPC_TESTDATA_ECHO_H

#include "rpc/rpc.h"
#include "rpc/testdata/echo.rpc.h"

extern struct service echo_service;

#define ECHO_MEMBER "01890a5d-ac96-774b-bcce-b302099a8057"

/* An anonymous call as made by the gateway; free with rpc_call_free. */
struct rpc_call *echo_call_new(void);
/* Authenticates the call as ECHO_MEMBER, with these scopes. */
void echo_log_in(struct rpc_call *c, const char *scopes);
/* The same, authenticated this long ago. */
void echo_log_in_ago(struct rpc_call *c, const char *scopes, int64_t seconds);

/* Handlers of Wait stay inside until the gate opens. */
void echo_gate_close(void);
void echo_gate_open(void);
void echo_gate_await(int inside); /* returns when this many handlers wait */
/* How often a handler has run since the last call. */
int echo_runs(void);
/* The number of interrupted bodies. */
int echo_parts(void);
/* Keys and signer; once. */
void echo_setup(void);

#endif
