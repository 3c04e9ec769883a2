/* Handlers of the echo service. */
#include "rpc/testdata/echo.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/sha.h>
#include <sys/mman.h>
#include <unistd.h>

#include "auth/keys.h"
#include "auth/token.h"
#include "base/clock.h"
#include "rpc/call_graph.h"

/* Longer than any test may take: one call makes hundreds of requests, possibly on slow machines. */
enum { CALL_MS = 600000 };

static atomic_int runs;
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_change = PTHREAD_COND_INITIALIZER;
static bool gate_is_open = true;
static int waiting;

static char *copy(struct rpc_call *c, const char *text)
{
        return arena_strdup(c->arena, text != NULL ? text : "");
}

static sn_status echo(struct rpc_call *c, const Echo__EchoRequest *in, Echo__Echoed *out)
{
        out->runs = ++runs;
        out->text = copy(c, in->text);
        out->id = copy(c, in->id);
        out->n_numbers = in->n_numbers;
        out->numbers = ARENA_ARRAY(c->arena, int64_t, in->n_numbers);
        if (in->n_numbers > 0) {
                memcpy(out->numbers, in->numbers, in->n_numbers * sizeof(in->numbers[0]));
        }
        out->actor = copy(c, c->actor);
        out->scope = copy(c, c->scope);
        out->caller = copy(c, c->caller);
        out->client_address = copy(c, c->client_address);
        out->user_agent = copy(c, c->user_agent);
        out->trace_id = copy(c, c->trace_id);
        out->request_id = copy(c, c->request_id);
        out->idempotency_key = copy(c, c->idempotency_key);
        if (c->idempotency_key != NULL) {
                out->body_hash.data =
                    (uint8_t *)arena_strndup(c->arena, (const char *)c->body_hash, sizeof(c->body_hash));
                out->body_hash.len = sizeof(c->body_hash);
        }
        if (in->answer_bytes > 0) {
                out->text = arena_alloc(c->arena, (size_t)in->answer_bytes + 1);
                memset(out->text, 'x', (size_t)in->answer_bytes);
        }
        return SN_OK;
}

/* The text "again" simulates a key that was already used: the stored response is returned. "commit" simulates a
 * transaction. */
static sn_status write_(struct rpc_call *c, const Echo__EchoRequest *in, Echo__Echoed *out)
{
        c->committed = strcmp(in->text, "commit") == 0;
        if (strcmp(in->text, "again") != 0) {
                return echo(c, in, out);
        }
        Echo__Echoed stored = ECHO__ECHOED__INIT;
        stored.text = copy(c, "stored");
        c->replayed = rpc_pack(c->arena, &stored.base, &c->replayed_len);
        return SN_REPLAYED;
}

static sn_status wait_(struct rpc_call *c, const Echo__EchoRequest *in, Echo__Echoed *out)
{
        pthread_mutex_lock(&gate_lock);
        waiting++;
        pthread_cond_broadcast(&gate_change);
        while (!gate_is_open) {
                pthread_cond_wait(&gate_change, &gate_lock);
        }
        waiting--;
        pthread_mutex_unlock(&gate_lock);
        return echo(c, in, out);
}

static sn_status dawdle(struct rpc_call *c, const Echo__EchoRequest *in, Echo__Echoed *out)
{
        (void)in;
        (void)out;
        ++runs;
        while (!rpc_call_expired(c)) {
                clock_sleep_ms(1);
        }
        return rpc_fail(c, SN_DEADLINE_EXCEEDED, NULL, "too late");
}

static sn_status fail(struct rpc_call *c, const Echo__FailRequest *in, Echo__Echoed *out)
{
        out->runs = ++runs;
        if (out->runs <= in->aborts) {
                out->text = copy(c, "left behind by a run that did not happen");
                c->retry = true;
                return rpc_fail(c, SN_ABORTED, NULL, "left behind, too");
        }
        sn_status status = (sn_status)in->status;
        if (status == SN_OK || in->silent) {
                return status;
        }
        (void)rpc_fail_code(c, status, in->code, in->field[0] != '\0' ? in->field : NULL, "%s", in->detail);
        c->problem.retry_after_s = (int)in->retry_after_s;
        return status;
}

static void hash_body(const struct rpc_body *body, uint8_t hash[SHA256_DIGEST_LENGTH])
{
        size_t size = (size_t)body->size;
        void *bytes = size > 0 ? mmap(NULL, size, PROT_READ, MAP_SHARED, body->fd, 0) : NULL;
        SHA256(size > 0 ? bytes : (const void *)"", size, hash);
        if (size > 0) {
                munmap(bytes, size);
        }
}

static atomic_int parts;

static sn_status put(struct rpc_call *c, const Echo__PutRequest *in, Echo__Echoed *out)
{
        uint8_t hash[SHA256_DIGEST_LENGTH];
        out->runs = ++runs;
        parts += !c->body->complete;
        hash_body(c->body, hash);
        out->text = copy(c, in->text);
        out->actor = copy(c, c->actor);
        out->caller = copy(c, c->caller);
        out->body_hash.data = (uint8_t *)arena_strndup(c->arena, (const char *)hash, sizeof(hash));
        out->body_hash.len = sizeof(hash);
        out->body_bytes = c->body->size;
        out->body_complete = c->body->complete;
        out->body_name = copy(c, c->body->file_name);
        out->body_type = copy(c, c->body->mime_type);
        return SN_OK;
}

static bool fill_file(int fd, int64_t size)
{
        char bytes[251 * 64];
        for (size_t i = 0; i < sizeof(bytes); i++) {
                bytes[i] = (char)(i % 251);
        }
        for (int64_t at = 0; at < size; at += (int64_t)sizeof(bytes)) {
                size_t n = size - at < (int64_t)sizeof(bytes) ? (size_t)(size - at) : sizeof(bytes);
                if (write(fd, bytes, n) != (ssize_t)n) {
                        return false;
                }
        }
        return true;
}

static sn_status get_file(struct rpc_call *c, const Echo__GetFileRequest *in, File__Chunk *out)
{
        int fd = memfd_create("echo", MFD_CLOEXEC);
        if (fd < 0 || !fill_file(fd, in->size)) {
                return rpc_fail(c, SN_INTERNAL, NULL, "no file");
        }
        out->mime_type = copy(c, "text/x-echo");
        out->etag = copy(c, "tag");
        return rpc_answer_file(c, fd);
}

int echo_parts(void)
{
        return atomic_load(&parts);
}

static const struct echo_handlers handlers = {.echo = echo,
                                              .write = write_,
                                              .guarded = echo,
                                              .wait = wait_,
                                              .dawdle = dawdle,
                                              .fail = fail,
                                              .inside = echo,
                                              .put = put,
                                              .put_part = put,
                                              .get_file = get_file};

struct service echo_service = {.name = "echo", .contract = &echo_contract, .handlers = &handlers};

static struct service gateway = {.name = CALL_GRAPH_GATEWAY};

struct rpc_call *echo_call_new(void)
{
        return rpc_call_new_background(&gateway, CALL_MS);
}

void echo_log_in(struct rpc_call *c, const char *scopes)
{
        echo_log_in_ago(c, scopes, 0);
}

void echo_log_in_ago(struct rpc_call *c, const char *scopes, int64_t seconds)
{
        struct token_claims claims = {.subject = ECHO_MEMBER, .session = "01890a5d-ac96-774b-bcce-b302099a8058"};
        claims.expires_s = clock_wall_ms() / 1000 + TOKEN_LIFE_S;
        claims.auth_time_s = clock_wall_ms() / 1000 - seconds;
        snprintf(claims.scope, sizeof(claims.scope), "%s", scopes);
        struct rpc_sender sender = {.peer = "", .certificate = "", .audience = "gateway"};
        char *token = NULL;
        sn_status status = token_sign(c, &claims, &token);
        sender.authorization = str_of(arena_printf(c->arena, "Bearer %s", token));
        if (status != SN_OK || rpc_authenticate(c, &sender) != SN_OK) {
                fprintf(stderr, "no token: %s\n", c->problem.detail);
                abort();
        }
}

static void set_gate(bool open)
{
        pthread_mutex_lock(&gate_lock);
        gate_is_open = open;
        pthread_cond_broadcast(&gate_change);
        pthread_mutex_unlock(&gate_lock);
}

void echo_gate_close(void)
{
        set_gate(false);
}

void echo_gate_open(void)
{
        set_gate(true);
}

void echo_gate_await(int inside)
{
        pthread_mutex_lock(&gate_lock);
        while (waiting < inside) {
                pthread_cond_wait(&gate_change, &gate_lock);
        }
        pthread_mutex_unlock(&gate_lock);
}

int echo_runs(void)
{
        return atomic_exchange(&runs, 0);
}

void echo_setup(void)
{
        static const uint8_t master[32] = {1};
        keys_set_master(master);
        if (token_signer_setup() != SN_OK) {
                fputs("no signer\n", stderr);
                abort();
        }
}
