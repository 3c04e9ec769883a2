/* Ownership: processes that own, wait, are killed, stopped and cut off. Each is a child of the test, controlled by
 * single letters; it responds with a letter when done, or exits. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "db/ownership.h"
#include "db/test_items.h"
#include "db/tx.h"

static struct test_database t;

/* Children are forked: no thread may run, and no database be open, in the test itself. */
static int setup(void **state)
{
        (void)state;
        test_clock_movable();
        test_database_new(&t, ITEMS_MIGRATIONS, 1, 2);
        db_free(t.db);
        t.db = NULL;
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        test_database_free(&t);
        clock_set_source(NULL);
        return 0;
}

/* ---- In the child ---- */

DB_STATEMENT(TEST_OWNED_ITEM, "test_items", NULL, "insert into items (id, name) values (gen_random_uuid(), $1)");

struct owner {
        int fd;
        struct db *databases[3];
        struct db_ownership *ownership;
        struct service service;
        struct rpc_call *c;
        struct db_tx *tx;
};

static int socket_of_write, socket_to_test;

static void cut_write(int signal)
{
        (void)shutdown(socket_of_write, SHUT_RDWR);
        (void)!write(socket_to_test, "x", 1);
}

static char begin_write(struct owner *o, const char *name)
{
        o->c = rpc_call_new_background(&o->service, 20000);
        if (db_begin(o->c, &o->tx) != SN_OK ||
            db_exec(o->tx, &TEST_OWNED_ITEM, DB_BINDS(bind_text(name)), NULL) != SN_OK) {
                return '-';
        }
        socket_of_write = PQsocket(o->tx->connection->pg);
        return 'b';
}

static char end_write(struct owner *o)
{
        sn_status status = db_commit(o->c, NULL, &o->tx);

        db_end(&o->tx);
        rpc_call_free(o->c);
        db_ownership_confirm(o->ownership); /* like the dispatcher before any response */
        return status == SN_OK ? 'e' : '-';
}

static char answer_to(struct owner *o, char command)
{
        switch (command) {
        case 'c': /* a response is to be sent */
                db_ownership_confirm(o->ownership);
                return 'c';
        case 'w': /* the awaited service, by the first letter of its name */
                return db_ownership_awaits(o->ownership) != NULL ? db_ownership_awaits(o->ownership)[0] : '-';
        case 'b':
                return begin_write(o, "owned");
        case 's':
                return begin_write(o, "slow-owned");
        case 'e':
                return end_write(o);
        case 'm': /* the machine was suspended */
                test_clock_suspend(60000000);
                return 'm';
        default:
                db_ownership_free(o->ownership);
                _exit(0);
        }
}

/* names: letters, each a service in the same database. */
static void live(struct owner *o, const char *names)
{
        static const char *const services[] = {"a", "b", "c"};
        char command;

        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        socket_to_test = o->fd;
        (void)signal(SIGUSR1, cut_write);
        o->ownership = db_ownership_new();
        for (size_t i = 0; names[i] != '\0'; i++) {
                o->databases[i] = db_new(&(struct db_options){.name = t.name, .url = t.url, .max_connections = 2});
                db_ownership_add(o->ownership, o->databases[i], services[names[i] - 'a']);
        }
        o->service = (struct service){.name = "test", .db = o->databases[0], .ownership = o->ownership};
        db_ownership_start(o->ownership);
        while (read(o->fd, &command, 1) == 1) {
                char answer = answer_to(o, command);

                if (write(o->fd, &answer, 1) != 1) {
                        break;
                }
        }
        _exit(1);
}

/* ---- In the test ---- */

struct process {
        pid_t pid;
        int fd;
};

static struct process start(const char *names)
{
        struct process p;
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        p.fd = ends[0];
        p.pid = fork();
        assert_true(p.pid >= 0);
        if (p.pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves no processes behind */
                (void)close(ends[0]);
                live(&(struct owner){.fd = ends[1]}, names);
        }
        (void)close(ends[1]);
        return p;
}

static void tell(const struct process *p, char command)
{
        assert_int_equal(write(p->fd, &command, 1), 1);
}

/* Its next letter; 0 if it has exited. */
static char hear(const struct process *p)
{
        char answer = 0;

        return read(p->fd, &answer, 1) == 1 ? answer : 0;
}

/* Cuts its connection to the database: once this returns, the server's answers no longer arrive. */
static void cut(const struct process *p)
{
        assert_int_equal(kill(p->pid, SIGUSR1), 0);
        assert_int_equal(hear(p), 'x');
}

static char ask(const struct process *p, char command)
{
        tell(p, command);
        return hear(p);
}

/* Of two waiting for a response, the one that has responded or exited. */
static size_t first_of(const struct process processes[2])
{
        struct pollfd p[2] = {{.fd = processes[0].fd, .events = POLLIN}, {.fd = processes[1].fd, .events = POLLIN}};

        assert_true(poll(p, 2, 20000) > 0);
        assert_false(p[0].revents != 0 && p[1].revents != 0);
        return p[0].revents != 0 ? 0 : 1;
}

static void expect_wait_for(const struct process *p, char service)
{
        while (ask(p, 'w') != service) {
                clock_sleep_ms(5);
        }
}

/* Its exit code, or -signal. It sends nothing before it exits. */
static int end_of(const struct process *p)
{
        int status;

        assert_int_equal(hear(p), 0);
        assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
        (void)close(p->fd);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void quit(const struct process *p)
{
        tell(p, 'q');
        assert_int_equal(end_of(p), 0);
}

static const char *one(const char *format)
{
        char sql[400];

        (void)snprintf(sql, sizeof(sql), format, t.name);
        return test_admin(t.name, sql);
}

#define LEASES "from pg_stat_activity where datname = '%s' and application_name = 'sonet lease'"

static void one_process_owns_and_the_next_waits_until_it_exits(void **state)
{
        struct process a = start("ab");

        assert_int_equal(ask(&a, 'c'), 'c');
        struct process b = start("ab");

        expect_wait_for(&b, 'a');
        quit(&a);
        assert_int_equal(ask(&b, 'c'), 'c');
        quit(&b);
}

static void a_killed_owner_is_followed_by_the_next(void **state)
{
        struct process a = start("a");

        assert_int_equal(ask(&a, 'c'), 'c');
        struct process b = start("a");

        expect_wait_for(&b, 'a');
        assert_int_equal(kill(a.pid, SIGKILL), 0);
        assert_int_equal(ask(&b, 'c'), 'c');
        assert_int_equal(end_of(&a), -SIGKILL);
        quit(&b);
}

static void an_owner_whose_session_ends_exits(void **state)
{
        struct process a = start("ab");

        assert_int_equal(ask(&a, 'c'), 'c');
        (void)one("select pg_terminate_backend(min(pid)) " LEASES);
        assert_int_equal(end_of(&a), DB_OWNERSHIP_EXIT);
}

/* The request arrived before or after the stop: the process cannot tell which. */
static void a_stopped_owner_that_resumes_after_the_next_sends_nothing(void **state)
{
        struct process a = start("a");

        assert_int_equal(ask(&a, 'c'), 'c');
        struct process b = start("a");

        expect_wait_for(&b, 'a');
        assert_int_equal(kill(a.pid, SIGSTOP), 0);
        assert_int_equal(ask(&b, 'c'), 'c');
        tell(&a, 'c');
        assert_int_equal(kill(a.pid, SIGCONT), 0);
        assert_int_equal(end_of(&a), DB_OWNERSHIP_EXIT);
        quit(&b);
}

/* The session may end long before the server would time it out, and the owner may be the last to notice. */
static void an_owner_whose_session_ends_while_stopped_sends_nothing_when_it_resumes(void **state)
{
        struct process a = start("a");

        assert_int_equal(ask(&a, 'c'), 'c');
        struct process b = start("a");

        expect_wait_for(&b, 'a');
        assert_int_equal(kill(a.pid, SIGSTOP), 0);
        (void)one("select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)"
                  " where datname = '%s' and application_name = 'sonet lease' and locktype = 'advisory' and granted"
                  " group by pid having count(*) = 2"); /* its lease, and its heartbeat */
        assert_int_equal(ask(&b, 'c'), 'c');
        tell(&a, 'c');
        assert_int_equal(kill(a.pid, SIGCONT), 0);
        assert_int_equal(end_of(&a), DB_OWNERSHIP_EXIT);
        quit(&b);
}

/* As if PostgreSQL were unreachable: the process cannot know whether another has taken over. */
static void an_owner_without_answers_from_postgresql_sends_nothing(void **state)
{
        struct process a = start("a");

        assert_int_equal(ask(&a, 'c'), 'c');
        pid_t backend = (pid_t)strtol(one("select pid " LEASES), NULL, 10);

        assert_int_equal(kill(backend, SIGSTOP), 0);
        assert_int_equal(ask(&a, 'm'), 'm');
        tell(&a, 'c');
        int code = end_of(&a);

        assert_int_equal(kill(backend, SIGCONT), 0);
        assert_int_equal(code, DB_OWNERSHIP_EXIT);
}

static void an_owner_that_was_suspended_responds_after_postgresql_has(void **state)
{
        struct process a = start("a");

        assert_int_equal(ask(&a, 'c'), 'c');
        assert_int_equal(ask(&a, 'm'), 'm');
        assert_int_equal(ask(&a, 'c'), 'c');
        quit(&a);
}

/* The former owner's COMMIT is sent, and does not arrive before the next one has taken over. */
static void a_write_begun_before_the_next_owner_does_not_commit_after_it(void **state)
{
        struct process a = start("a");

        assert_int_equal(ask(&a, 'c'), 'c');
        assert_int_equal(ask(&a, 'b'), 'b');
        struct process b = start("a");

        expect_wait_for(&b, 'a');
        assert_int_equal(kill(a.pid, SIGSTOP), 0);
        tell(&a, 'e');
        assert_int_equal(ask(&b, 'c'), 'c');
        assert_string_equal(one("select count(*) " LEASES), "1");
        assert_int_equal(kill(a.pid, SIGCONT), 0);
        assert_int_equal(end_of(&a), DB_OWNERSHIP_EXIT);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'owned'"), "0");
        quit(&b);
}

/* The same with the COMMIT in progress in the server, and with an owner that has exited meanwhile. */
static void the_next_owner_waits_for_a_commit_in_flight(void **state)
{
        struct process a = start("a");
        PGconn *holder = test_hold_commits(t.name);

        assert_int_equal(ask(&a, 'c'), 'c');
        assert_int_equal(ask(&a, 's'), 'b');
        tell(&a, 'e');
        test_wait_until_committing(t.name);
        (void)one("select pg_terminate_backend(pid) " LEASES);
        assert_int_equal(end_of(&a), DB_OWNERSHIP_EXIT);
        struct process b = start("a");

        assert_int_equal(ask(&b, 'c'), 'c');
        assert_string_equal(one("select count(*) from pg_stat_activity where datname = '%s' and query = 'commit'"),
                            "0");
        PQfinish(holder);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'slow-owned'"), "0");
        quit(&b);
}

/* Committed, but the server cannot tell: its statistics were reset, as after a crash. */
static void an_owner_that_cannot_determine_its_commit_exits(void **state)
{
        struct process a = start("a");
        PGconn *holder = test_hold_commits(t.name);

        assert_int_equal(ask(&a, 'c'), 'c');
        assert_int_equal(ask(&a, 's'), 'b');
        tell(&a, 'e');
        test_wait_until_committing(t.name);
        (void)test_admin("postgres", "select pg_stat_reset_shared('bgwriter')");
        cut(&a);
        PQfinish(holder);
        assert_int_equal(end_of(&a), DB_OWNERSHIP_EXIT);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'slow-owned'"), "1");
}

static void writes_are_impossible_before_ownership(void **state)
{
        struct process a = start("a");

        assert_int_equal(ask(&a, 'c'), 'c');
        struct process b = start("a");

        expect_wait_for(&b, 'a');
        tell(&b, 'b');
        assert_int_equal(end_of(&b), DB_OWNERSHIP_EXIT);
        quit(&a);
}

/* b's process needs a and b; while it waits for b, another may hold a. */
static void leases_are_taken_all_or_none(void **state)
{
        struct process b = start("b");

        assert_int_equal(ask(&b, 'c'), 'c');
        struct process both = start("ab");

        expect_wait_for(&both, 'b');
        struct process a = start("a");

        assert_int_equal(ask(&a, 'c'), 'c');
        quit(&b);
        expect_wait_for(&both, 'a');
        struct process again = start("b");

        assert_int_equal(ask(&again, 'c'), 'c');
        quit(&again);
        quit(&a);
        assert_int_equal(ask(&both, 'c'), 'c');
        quit(&both);
}

static void two_started_together_do_not_share_ownership(void **state)
{
        struct process processes[2];
        size_t owner;

        for (int round = 0; round < 5; round++) {
                processes[0] = start("abc");
                processes[1] = start("abc");
                tell(&processes[0], 'c');
                tell(&processes[1], 'c');
                owner = first_of(processes);
                assert_int_equal(hear(&processes[owner]), 'c');
                quit(&processes[owner]);
                assert_int_equal(hear(&processes[1 - owner]), 'c');
                quit(&processes[1 - owner]);
        }
}

int run_ownership_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(one_process_owns_and_the_next_waits_until_it_exits),
            cmocka_unit_test(two_started_together_do_not_share_ownership),
            cmocka_unit_test(a_killed_owner_is_followed_by_the_next),
            cmocka_unit_test(an_owner_whose_session_ends_exits),
            cmocka_unit_test(a_stopped_owner_that_resumes_after_the_next_sends_nothing),
            cmocka_unit_test(an_owner_whose_session_ends_while_stopped_sends_nothing_when_it_resumes),
            cmocka_unit_test(an_owner_without_answers_from_postgresql_sends_nothing),
            cmocka_unit_test(an_owner_that_was_suspended_responds_after_postgresql_has),
            cmocka_unit_test(a_write_begun_before_the_next_owner_does_not_commit_after_it),
            cmocka_unit_test(the_next_owner_waits_for_a_commit_in_flight),
            cmocka_unit_test(an_owner_that_cannot_determine_its_commit_exits),
            cmocka_unit_test(writes_are_impossible_before_ownership),
            cmocka_unit_test(leases_are_taken_all_or_none),
        };

        return cmocka_run_group_tests_name("db: ownership", tests, setup, teardown);
}
