/* Shared by the tests of the services: their databases on the private server of tests/with-servers, and all services
 * running in the test's process, as `sonet serve` runs them. */
#ifndef SERVICES_TEST_SUPPORT_H
#define SERVICES_TEST_SUPPORT_H

#include "cache/redis.h"
#include "db/test_support.h"
#include "services/follow/follow.rpc.h"
#include "services/note/note.rpc.h"
#include "services/services.h"
#include "services/test_settle.h"
#include "services/timeline/timeline.rpc.h"
#include "services/user/user.rpc.h"

/* Creates and migrates the databases of all services. Fails the test on errors. */
void test_services_provision(void);
/* The URL of a service's database for a role. */
void test_service_url(char out[300], const struct service_definition *definition);

/* Starts everything on empty databases; encoded: calls between services go through bytes. */
void test_network_start(const char *redis_url, bool encoded);
void test_network_stop(void);
struct redis *test_network_redis(void);
/* For calls in its name, of methods that are internal. */
struct service *test_network_service(const char *name);
/* Sends a command to Redis. Returns whether it was answered. */
bool test_redis_do(int argc, const char *const *argv);
/* A command whose reply is a number. */
long long test_redis_number(int argc, const char *const *argv);
/* As if their process ended and another one started. */
void test_network_stop_consumers(const char *service);
void test_network_start_consumers(const char *service);
/* Runs a service's job until nothing is due. Returns the number of portions. */
int test_network_run_job(const char *service, const char *job);

/* For groups of tests: the network with Redis, the same with encoded calls, and without Redis. */
int test_start_plain(void **state);
int test_start_encoded(void **state);
int test_start_without_redis(void **state);
int test_stop(void **state);

#define USER(m)     user_methods[USER_##m]
#define FOLLOW(m)   follow_methods[FOLLOW_##m]
#define NOTE(m)     note_methods[NOTE_##m]
#define TIMELINE(m) timeline_methods[TIMELINE_##m]

/* Sets those of these fields that the request has. */
struct test_args {
        const char *id;   /* "id" or "user_id" */
        const char *text; /* "text", "tag" or "query" */
        const char *cursor, *after;
        uint32_t limit;
        int visibility;
};
/* Any thread. *out (may be NULL) is valid until the thread's test_release. actor "": no log-in. */
sn_status test_request(const char *actor, const struct rpc_method *m, const struct test_args *args, void **out);
/* The same, with a request filled in by the caller. */
sn_status test_send(const char *actor, const struct rpc_method *m, const ProtobufCMessage *in, void **out);
/* The code with which the thread's last request was refused, or "". */
const char *test_problem_code(void);
void test_release(void);

/* On the test's own thread: fails the test unless the answer is OK. */
void *test_ask(const char *actor, const struct rpc_method *m, const struct test_args *args);
#define ASK(actor, method, ...)    test_ask((actor), &(method), &(struct test_args){__VA_ARGS__})
#define STATUS(actor, method, ...) test_request((actor), &(method), &(struct test_args){__VA_ARGS__}, NULL)

/* Registers a member; the id lives as long as the network. */
const char *test_member(const char *username);

#endif
