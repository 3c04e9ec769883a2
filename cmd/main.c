/* The entry point: the table of commands, help, --help and --version. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "cmd/commands.h"
#include "cmd/options.h"
#include "services/media/decode.h"

#ifndef SONET_VERSION
#define SONET_VERSION "unknown"
#endif

static int cmd_help(int argc, char **argv);

static const struct command COMMANDS[] = {
    {"up", cmd_up, "", "start SoNet with its own PostgreSQL and Redis",
     "Creates whatever is missing in the data folder, serves all services and restarts any process that exits.\n"
     "Prints 'ready http://ADDRESS:PORT' once it accepts requests. Ctrl-C shuts it down; pressed again, it stops at "
     "once.\n"},
    {"serve", cmd_serve, "all | gateway | SERVICE… | media-worker", "run services on an existing PostgreSQL and Redis",
     "'all' runs every service and the gateway in one process. Otherwise only the named ones run here, and the others\n"
     "are called by gRPC at <SERVICE>_URL. Without the gateway, HTTP serves only /healthz, /readyz and /metrics.\n"
     "'media-worker' only processes media that other processes have received.\n"
     "Everything but the port is configured by environment variables: DATABASE_URL, REDIS_URL, SONET_KEY_FILE,\n"
     "GRPC_PORT and the others that 'sonet config' lists. SERVICE is one of:"
#define SERVICE(name, NAME) " " #name
#include "base/services.def.h"
     ".\n"},
    {"migrate", cmd_migrate, "[SERVICE…]", "create and migrate the services' databases",
     "Connects to DATABASE_ADMIN_URL, creates the database and the roles of each service where they are missing, and\n"
     "runs the migrations that have not run yet. Running it again changes nothing.\n"},
    {"config", cmd_config, "", "show every setting with its description and value",
     "Settings are environment variables. Passwords are not shown.\n"},
    {"import", cmd_import, "[FILE…]", "import a social graph and texts into a running server",
     "Registers a member for each node of the graph (member0, member1 …), makes them follow each other along its\n"
     "edges, and posts the texts as their notes, all through the public API. Running it again, or after an\n"
     "interruption, adds only what is missing. Operands are text files, as for --texts.\n"},
    {"admin", cmd_admin, "FAMILY COMMAND …", "administer a running network",
     "audit list             the newest entries of the audit log: who changed what, from where\n"
     "audit export           the whole audit log as JSON lines\n"
     "audit verify           check that no entry was altered, deleted or moved, and print the head of the hash chain;\n"
     "                       store the head elsewhere: given with --head, it reveals a truncated log, too\n"
     "deadletters list       events that a service failed to handle\n"
     "deadletters replay [ID…]\n"
     "                       have the service handle them again: the given ones, or all\n"
     "experiment verify ID   recompute the results of a stopped experiment and compare them with the stored ones\n"
     "invite [--uses N] [--days N], invite list, invite revoke ID\n"
     "                       create an invite, list those in use, revoke one\n"
     "mails list             mails of the last seven days that could not be sent, and why\n"
     "media check            find rows without a file, files without a row, and wrong quotas\n"
     "media move bucket, media move folder\n"
     "                       copy missing files from MEDIA_DIR to MEDIA_STORE, or back\n"
     "media block HASH|MEDIA REASON\n"
     "                       block a file by its SHA-256 or its perceptual hash; existing media that match fail\n"
     "media unblock HASH, media blocks\n"
     "                       remove a file from the blocklist; show the blocklist\n"
     "notify preview TYPE CHANNEL LANGUAGE\n"
     "                       show the text of a notification\n"
     "notify test TYPE email|sms|push|mobile LANGUAGE ADDRESS|NUMBER|MEMBER\n"
     "                       send a sample of a notification\n"
     "search rebuild, search progress\n"
     "                       rebuild the search index; show how far that is\n"
     "user create USERNAME EMAIL\n"
     "                       create an account; its owner is mailed a link to set a password\n"
     "user show MEMBER       an account, by ID, username or e-mail address\n"
     "user list              the newest accounts; filter with --role, --suspended or --waiting\n"
     "user role MEMBER ROLE  set a member's role: member, moderator or administrator\n"
     "user suspend MEMBER REASON\n"
     "                       end all sessions, refuse log-ins and hide the profile and everything the member wrote\n"
     "user unsuspend MEMBER  lift the suspension\n"
     "user approve MEMBER, user decline MEMBER\n"
     "                       admit a member who is waiting for approval, or erase the account\n"
     "user reset-2fa MEMBER  remove all second factors of a member who lost them, and notify the member by mail\n"
     "user delete MEMBER     deactivate an account and erase it after ACCOUNT_GRACE_DAYS, or at once with --now\n"
     "user export MEMBER     write all data kept about a member to standard output\n"
     "\n"
     "Without DATABASE_URL it uses the databases of 'sonet up'.\n"},
    {"help", cmd_help, "[COMMAND]", "explain a command", "Without a command, lists all commands.\n"},
};
#define N_COMMANDS (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

const struct command *command_find(const char *name)
{
        for (size_t i = 0; i < N_COMMANDS; i++) {
                if (strcmp(COMMANDS[i].name, name) == 0) {
                        return &COMMANDS[i];
                }
        }
        return NULL;
}

static void print_commands(FILE *to)
{
        fprintf(to, "SoNet, a social network that anyone can run.\n\nUsage: sonet COMMAND [OPTION]…\n\n");
        for (size_t i = 0; i < N_COMMANDS; i++) {
                fprintf(to, "  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
        }
        fprintf(to, "\nRun 'sonet help COMMAND' for details. To get started, run 'sonet up'.\n");
}

static int refuse_command(const char *name)
{
        const char *near = nearest_name(name, &COMMANDS[0].name, N_COMMANDS, sizeof(COMMANDS[0]));

        fprintf(stderr, "sonet: unknown command '%s'", name);
        if (near != NULL) {
                fprintf(stderr, "; did you mean '%s'?", near);
        }
        fprintf(stderr, "\nTry 'sonet help'.\n");
        return EXIT_USAGE;
}

static int cmd_help(int argc, char **argv)
{
        int first = 0;
        enum options_result result = options_parse(NULL, 0, argc, argv, &first);

        if (result != OPTIONS_RUN) {
                return result == OPTIONS_HELP ? 0 : EXIT_USAGE;
        }
        if (first >= argc) {
                print_commands(stdout);
                return 0;
        }
        const struct command *command = command_find(argv[first]);
        if (command == NULL) {
                return refuse_command(argv[first]);
        }
        char *ask[] = {argv[first], "--help", NULL}; /* the command knows its own options */
        return command->run(2, ask);
}

/* If we are started with descriptor 0, 1 or 2 closed, our output would go into the next file that we open. */
static bool fill_standard_descriptors(void)
{
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd) {
                        return false;
                }
        }
        return true;
}

int main(int argc, char **argv)
{
        if (!fill_standard_descriptors()) {
                return 1;
        }
        /* 'sonet up' starts its children by descriptor, which leaves a number as their name. */
        prctl(PR_SET_NAME, "sonet");
        if (argc < 2) {
                print_commands(stderr);
                return EXIT_USAGE;
        }
        if (strcmp(argv[1], "--version") == 0) {
                printf("sonet %s\n", SONET_VERSION);
                return 0;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
                print_commands(stdout);
                return 0;
        }
        if (strcmp(argv[1], DECODE_COMMAND) == 0) { /* started by media_service itself, not a command for users */
                return decode_main(argc - 1, argv + 1);
        }
        const struct command *command = command_find(argv[1]);
        return command != NULL ? command->run(argc - 1, argv + 1) : refuse_command(argv[1]);
}
