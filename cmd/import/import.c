/* Owns the command line of `sonet import`, and its summary. */
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "base/str.h"
#include "cmd/commands.h"
#include "cmd/import/gather.h"
#include "cmd/import/graph.h"
#include "cmd/import/plan.h"
#include "cmd/import/progress.h"
#include "cmd/import/run.h"
#include "cmd/import/texts.h"
#include "cmd/options.h"

#define DEFAULT_PASSWORD "sonet-member"
#define EXIT_INTERRUPTED 130
#define READY_MS         5000

struct import_request {
        const char *graph, *to, *password;
        struct option_texts texts;
        int64_t notes, seed, members, workers;
        bool generate;
};

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int number)
{
        asked_to_stop = 1;
        (void)number;
}

/* A second Ctrl-C ends the process at once; nothing is lost, since the next run continues. */
static void listen_to_signals(void)
{
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGHUP, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
}

static int usage_error(const char *sentence)
{
        fprintf(stderr, "sonet import: %s\nTry 'sonet help import'.\n", sentence);
        return EXIT_USAGE;
}

/* NULL, or what is wrong with the combination of options. */
static const char *check_request(const struct import_request *r, int operands)
{
        if (r->generate == (r->graph != NULL)) {
                return r->generate ? "--generate and --graph cannot be combined"
                                   : "--graph FILE is missing (or --generate --members N)";
        }
        if (r->generate != (r->members > 0)) {
                return r->generate ? "--generate needs --members N" : "--members N requires --generate";
        }
        if (r->texts.n == 0 && operands == 0 && r->notes > 0) {
                return "--texts FILE… is missing (or --notes 0)";
        }
        if (strlen(r->password) < 8) {
                return "--password needs at least 8 characters";
        }
        return NULL;
}

static sn_status read_graph(const struct import_request *r, struct import_graph *graph, struct buf *error)
{
        return r->generate ? import_graph_generate((size_t)r->members, (uint64_t)r->seed, graph, error)
                           : import_graph_read(r->graph, graph, error);
}

static sn_status read_texts(const struct import_request *r, int n_more, char **more, struct import_texts *texts,
                            struct buf *error)
{
        for (size_t i = 0; i < r->texts.n + (size_t)n_more; i++) {
                const char *path = i < r->texts.n ? r->texts.items[i] : more[i - r->texts.n];
                TRY(import_texts_gather(texts, path, error));
        }
        import_texts_finish(texts);
        if (texts->n == 0 && r->notes > 0) {
                buf_append_c(error, "the files contain no text that fits into a note");
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

static sn_status find_server(const char *url, struct http_target *target, struct buf *error)
{
        CLEANUP(buf_free) struct buf answer;

        buf_init(&answer, 65536);
        if (!http_target_parse(target, url)) {
                buf_printf(error, "--to takes http://ADDRESS:PORT with an IP address, not '%s'", url);
                return SN_INVALID_ARGUMENT;
        }
        int status = http_exchange(target, "GET", "/readyz", NULL, READY_MS, &answer);
        if (status != 200) {
                buf_printf(error,
                           status < 0
                               ? "no server is reachable at %s; start one with 'sonet up', or give its URL with --to"
                               : "the server at %s is not ready",
                           url);
                return SN_UNAVAILABLE;
        }
        return SN_OK;
}

static void print_plan(const struct import_graph *graph, const struct import_texts *texts, size_t notes)
{
        char a[32], b[32], c[32];

        printf("%s members, %s edges, %s texts\n", import_number(graph->n_members, a), import_number(graph->n_ties, b),
               import_number(texts->n, c));
        if (graph->repeated > 0) {
                printf("ignored %s duplicate edges\n", import_number(graph->repeated, a));
        }
        if (texts->too_long > 0) {
                printf("skipped %s texts longer than %d characters, the first at %s\n",
                       import_number(texts->too_long, a), IMPORT_TEXT_MAX, texts->first_too_long);
        }
        if (texts->left_out > 0) {
                printf("skipped %s files that are unreadable or not UTF-8, the first %s\n",
                       import_number(texts->left_out, a), texts->first_left_out);
        }
        if (texts->n > 0 && texts->n < graph->n_members * notes) {
                printf("fewer texts than notes: some texts are posted more than once\n");
        }
        fflush(stdout);
}

static sn_status import_all(const struct import_request *r, const struct import_graph *graph,
                            const struct import_texts *texts, struct buf *error)
{
        struct http_target target;
        struct import_plan plan;

        TRY(find_server(r->to, &target, error));
        print_plan(graph, texts, (size_t)r->notes);
        import_plan_make(&plan, graph, texts, (size_t)r->notes, (uint64_t)r->seed);
        listen_to_signals();
        sn_status status =
            import_run(&(struct import_job){&plan, &target, r->password, (int)r->workers, &asked_to_stop}, error);
        import_plan_free(&plan);
        return status;
}

static int report_result(const struct import_request *r, const struct import_graph *graph, sn_status status,
                         const struct buf *error)
{
        if (status == SN_CANCELLED && asked_to_stop) {
                fprintf(stderr, "sonet import: interrupted; run the same command again to continue\n");
                return EXIT_INTERRUPTED;
        }
        if (status != SN_OK) {
                fprintf(stderr, "sonet import: %s\n", error->len > 0 ? error->data : "failed");
                return 1;
        }
        printf("done: log in as member%u or member%u", graph->nodes[0], graph->nodes[graph->n_members - 1]);
        if (strcmp(r->password, DEFAULT_PASSWORD) == 0) {
                printf(" with the password %s", DEFAULT_PASSWORD);
        }
        printf("\n");
        return 0;
}

static int run_import(const struct import_request *r, int n_more, char **more)
{
        CLEANUP(buf_free) struct buf error;
        CLEANUP(import_graph_free) struct import_graph graph = {0};
        CLEANUP(import_texts_free) struct import_texts texts = {0};

        buf_init(&error, 8192);
        sn_status status = read_graph(r, &graph, &error);
        if (status == SN_OK) {
                status = read_texts(r, n_more, more, &texts, &error);
        }
        if (status == SN_OK) {
                status = import_all(r, &graph, &texts, &error);
        }
        return report_result(r, &graph, status, &error);
}

int cmd_import(int argc, char **argv)
{
        struct import_request r = {
            .to = "http://127.0.0.1:8080", .password = DEFAULT_PASSWORD, .notes = 20, .seed = 1, .workers = 8};
        const struct option_row rows[] = {
            {"graph", OPTION_TEXT, &r.graph, "FILE",
             "edge list: two member numbers per line, for edges in both directions", 0, 0},
            {"generate", OPTION_FLAG, &r.generate, NULL, "generate a network with power-law degrees instead", 0, 0},
            {"members", OPTION_NUMBER, &r.members, "N", "number of members to generate", 2, 10000000},
            {"texts", OPTION_TEXTS, &r.texts, "FILE",
             "fortune files, or folders of them: texts separated by lines that contain only %", 0, 0},
            {"notes", OPTION_NUMBER, &r.notes, "N", "notes that each member posts (20)", 0, 10000},
            {"password", OPTION_TEXT, &r.password, "P", "the password of all members (" DEFAULT_PASSWORD ")", 0, 0},
            {"to", OPTION_TEXT, &r.to, "URL", "the running server (http://127.0.0.1:8080)", 0, 0},
            {"seed", OPTION_NUMBER, &r.seed, "S", "random seed for the generated network and the choice of texts (1)",
             0, INT64_MAX},
            {"workers", OPTION_NUMBER, &r.workers, "N", "parallel connections (8)", 1, 64},
        };
        int first = 0;
        enum options_result result = options_parse(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, &first);

        if (result != OPTIONS_RUN) {
                return result == OPTIONS_HELP ? 0 : EXIT_USAGE;
        }
        const char *wrong = check_request(&r, argc - first);
        if (wrong != NULL) {
                return usage_error(wrong);
        }
        return sodium_init() < 0 ? 1 : run_import(&r, argc - first, argv + first);
}
