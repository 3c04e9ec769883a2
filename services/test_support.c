/* Owns the services in tests: databases, caches, relays and consumers. */
#include "services/test_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include "auth/keys.h"
#include "base/clock.h"
#include "db/ownership.h"
#include "mail/mail.h"
#include "rpc/rpc.h"
#include "services/test_settle.h"
#include "sonet/events.rpc.h"
#include "sonet/file.rpc.h"
#include "sonet/problem.rpc.h"

#define SERVICES_MAX 16
#define DEADLINE_MS  600000 /* longer than any test may run */

void test_services_provision(void)
{
        struct buf error;

        buf_init(&error, 4096);
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (db_provision(test_admin_url(), sonet_services[i]->schema, NULL, &error) != SN_OK) {
                        fail_msg("%s: %s", sonet_services[i]->name, error.data);
                }
        }
        buf_free(&error);
}

void test_service_url(char out[300], const struct service_definition *definition)
{
        test_url(out, definition->schema->database, definition->schema->database);
}

/* ---- The network ---- */

static struct settings settings;
static struct redis *redis;
static struct db_ownership *ownership;
static struct service services[SERVICES_MAX];
static struct bus_runner *runners[SERVICES_MAX];
static struct arena *names;

/* A second network starts like the first one. */
static void empty_databases(void)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                char sql[200];

                (void)snprintf(sql, sizeof(sql), "select exists (select from pg_database where datname = '%s')",
                               sonet_services[i]->schema->database);
                if (strcmp(test_admin("postgres", sql), "t") == 0) {
                        (void)snprintf(sql, sizeof(sql), "drop database %s with (force)",
                                       sonet_services[i]->schema->database);
                        (void)test_admin("postgres", sql);
                }
        }
        test_services_provision();
}

static void take_ownership(void)
{
        ownership = db_ownership_new();
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (sonet_services[i]->single) {
                        db_ownership_add(ownership, services[i].db, sonet_services[i]->name);
                }
                services[i].ownership = ownership;
        }
        db_ownership_start(ownership);
        db_ownership_confirm(ownership);
}

static void open_service(size_t i)
{
        const struct service_definition *d = sonet_services[i];
        char url[300];

        test_service_url(url, d);
        services[i] =
            (struct service){.name = d->name, .contract = d->contract, .handlers = d->handlers, .redis = redis};
        services[i].db = db_new(&(struct db_options){.name = d->schema->database, .url = url, .max_connections = 4});
        assert_non_null(services[i].db);
        services[i].leases = bus_leases_new(&services[i]);
        rpc_register_local(&services[i]);
}

static void start_service(size_t i)
{
        const struct service_definition *d = sonet_services[i];

        if (d->prepare != NULL) {
                d->prepare(&services[i], &settings);
        }
        assert_int_equal(d->start != NULL ? d->start(&services[i], &settings) : SN_OK, SN_OK);
        if (d->emits) {
                services[i].relay = bus_relay_new(&services[i]);
        }
}

static int run_portions(struct service *service, const struct service_job *job)
{
        int n = 0;

        for (bool more = true; more; n++) {
                CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, DEADLINE_MS);

                more = false;
                assert_int_equal(job->run(c, &more), SN_OK);
        }
        return n;
}

int test_network_run_job(const char *service, const char *job)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct service_job *const *jobs = sonet_services[i]->jobs;
                bool named = strcmp(sonet_services[i]->name, service) == 0;

                if (named && strcmp(job, services_cleanup.name) == 0) {
                        return run_portions(&services[i], &services_cleanup);
                }
                for (size_t j = 0; named && jobs[j] != NULL; j++) {
                        if (strcmp(jobs[j]->name, job) == 0) {
                                return run_portions(&services[i], jobs[j]);
                        }
                }
        }
        fail_msg("%s has no job %s", service, job);
        return 0;
}

void test_network_start(const char *redis_url, bool encoded)
{
        static const uint8_t master[32] = {7};
        struct buf error;

        buf_init(&error, 4096);
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        keys_set_master(master);
        empty_databases();
        assert_int_equal(settings_load(&settings, &error), SN_OK);
        assert_int_equal(mail_setup(&settings, &error), SN_OK);
        db_set_server_limit(8);
        rpc_force_encoding(encoded);
        redis = redis_new(redis_url, 4);
        assert_non_null(redis);
        names = arena_new(1 << 20);
        for (size_t i = 0; i < sonet_n_services; i++) {
                open_service(i);
        }
        take_ownership();
        for (size_t i = 0; i < sonet_n_services; i++) {
                start_service(i);
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                runners[i] = bus_runner_new(&services[i], sonet_services[i]->consumers);
        }
        buf_free(&error);
}

void test_network_stop(void)
{
        test_release();
        test_settle_end();
        for (size_t i = sonet_n_services; i-- > 0;) {
                bus_runner_free(runners[i]);
        }
        for (size_t i = sonet_n_services; i-- > 0;) {
                bus_relay_free(services[i].relay);
                if (sonet_services[i]->stop != NULL) {
                        sonet_services[i]->stop(&services[i]);
                }
        }
        db_ownership_free(ownership);
        rpc_close();
        for (size_t i = 0; i < sonet_n_services; i++) {
                bus_leases_free(services[i].leases);
                db_free(services[i].db);
        }
        redis_free(redis);
        arena_free(names);
}

int test_start_plain(void **state)
{
        test_network_start(getenv("SONET_TEST_REDIS_URL"), false);
        return 0;
}

int test_start_encoded(void **state)
{
        test_network_start(getenv("SONET_TEST_REDIS_URL"), true);
        return 0;
}

int test_start_without_redis(void **state)
{
        test_network_start("redis://127.0.0.1:1", false);
        return 0;
}

int test_stop(void **state)
{
        test_network_stop();
        return 0;
}

struct redis *test_network_redis(void)
{
        return redis;
}

bool test_redis_do(int argc, const char *const *argv)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&services[0], DEADLINE_MS);
        struct redisReply *reply = NULL;

        return redis_command(c, redis, argc, argv, NULL, &reply) == SN_OK;
}

long long test_redis_number(int argc, const char *const *argv)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&services[0], DEADLINE_MS);
        struct redisReply *reply = NULL;

        assert_int_equal(redis_command(c, redis, argc, argv, NULL, &reply), SN_OK);
        assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
        return reply->integer;
}

/* ---- Consumers ---- */

struct service *test_network_service(const char *name)
{
        return &services[test_service_index(name)];
}

void test_network_stop_consumers(const char *service)
{
        size_t i = test_service_index(service);

        bus_runner_free(runners[i]);
        runners[i] = NULL;
}

void test_network_start_consumers(const char *service)
{
        size_t i = test_service_index(service);

        runners[i] = bus_runner_new(&services[i], sonet_services[i]->consumers);
}

/* ---- Requests ---- */

#define CALLS_MAX 4096

static __thread struct rpc_call *calls[CALLS_MAX];
static __thread size_t n_calls;
static __thread const char *last_code;

void test_release(void)
{
        while (n_calls > 0) {
                rpc_call_free(calls[--n_calls]);
        }
        last_code = "";
}

const char *test_problem_code(void)
{
        return last_code;
}

static struct rpc_call *new_call(const char *actor)
{
        struct rpc_call *c = rpc_call_new_background(NULL, DEADLINE_MS);

        if (n_calls == CALLS_MAX) {
                test_release();
        }
        calls[n_calls++] = c;
        c->actor = arena_strdup(c->arena, actor);
        c->scope = actor[0] != '\0' ? "read write" : "";
        c->client_address = "192.0.2.1";
        return c;
}

/* Without its method's deadline: only the result matters, on any machine. */
sn_status test_send(const char *actor, const struct rpc_method *m, const ProtobufCMessage *in, void **out)
{
        struct rpc_call *c = new_call(actor);
        struct rpc_method *unhurried = ARENA_NEW(c->arena, struct rpc_method);
        ProtobufCMessage *answer = contract_new_message(m->out, c->arena);

        *unhurried = *m;
        unhurried->deadline_ms = DEADLINE_MS;

        sn_status status = rpc_request(c, unhurried, in, answer);

        last_code = status != SN_OK && c->problem.code != NULL ? c->problem.code : "";
        if (out != NULL) {
                *out = answer;
        }
        return status;
}

static void *member_of(ProtobufCMessage *message, const char *name)
{
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

        return field != NULL && field->label != PROTOBUF_C_LABEL_REPEATED ? (char *)message + field->offset : NULL;
}

/* Selects a member of a oneof. */
static void set_text(ProtobufCMessage *message, const char *name, const char *value)
{
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
        char **member = member_of(message, name);

        if (member == NULL || value == NULL) {
                return;
        }
        *member = arena_strdup(calls[n_calls - 1]->arena, value);
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
                *(uint32_t *)((char *)message + field->quantifier_offset) = field->id;
        }
}

static void set_number(ProtobufCMessage *message, const char *name, int value)
{
        int *member = member_of(message, name);

        if (member != NULL && value != 0) {
                *member = value;
        }
}

sn_status test_request(const char *actor, const struct rpc_method *m, const struct test_args *args, void **out)
{
        ProtobufCMessage *in = contract_new_message(m->in, new_call("")->arena);
        static const char *const texts[] = {"text", "tag", "query"};

        set_text(in, "id", args->id);
        set_text(in, "user_id", args->id);
        for (size_t i = 0; i < 3; i++) {
                set_text(in, texts[i], args->text);
        }
        set_text(in, "cursor", args->cursor);
        set_text(in, "after", args->after);
        set_number(in, "limit", (int)args->limit);
        set_number(in, "visibility", args->visibility);
        return test_send(actor, m, in, out);
}

void *test_ask(const char *actor, const struct rpc_method *m, const struct test_args *args)
{
        void *out = NULL;
        sn_status status = test_request(actor, m, args, &out);

        if (status != SN_OK) {
                fail_msg("%s: %s, %s", m->name, sn_status_name(status), test_problem_code());
        }
        return out;
}

const char *test_member(const char *username)
{
        User__RegisterRequest in = USER__REGISTER_REQUEST__INIT;
        User__Login *login = NULL;

        in.username = (char *)username;
        in.email = arena_printf(names, "%s@example.org", username);
        in.password = (char *)"correct horse battery";
        if (test_send("", &user_methods[USER_REGISTER], &in.base, (void **)&login) != SN_OK) {
                fail_msg("%s cannot register: %s", username, test_problem_code());
        }
        return arena_strdup(names, login->user->id);
}
