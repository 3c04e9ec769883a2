/* The program's entry: one table of commands, and the words that belong to none of them (help, --help, --version). */
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
     "Creates what is missing in the data folder on the first start, then serves everything and restarts whatever\n"
     "exits. Prints 'ready http://ADDRESS:PORT' when it answers. Ctrl-C stops it; pressed again, it stops at once.\n"},
    {"serve", cmd_serve, "all | gateway | SERVICE… | media-worker",
     "run services on a PostgreSQL and a Redis that exist",
     "'media-worker' processes media that came in elsewhere, and nothing else.\n"
     "'all' runs every service and the gateway in one process. Otherwise the named ones run here and the rest is\n"
     "reached by gRPC at <SERVICE>_URL. Without the gateway, HTTP has /healthz, /readyz and /metrics only.\n"
     "All but the port comes from the environment: DATABASE_URL, REDIS_URL, SONET_KEY_FILE, GRPC_PORT and what else\n"
     "'sonet config' shows. SERVICE is one of:"
#define SERVICE(name, NAME) " " #name
#include "base/services.def.h"
     ".\n"},
    {"migrate", cmd_migrate, "[SERVICE…]", "create and migrate the services' databases",
     "Connects to DATABASE_ADMIN_URL, creates each service's database and its two roles where they are missing, and\n"
     "runs the migrations that have not run yet. Repeating it changes nothing.\n"},
    {"config", cmd_config, "", "show every setting, with its help and its value",
     "Settings are environment variables. Passwords are never shown.\n"},
    {"import", cmd_import, "[FILE…]", "bring a network into a running server",
     "Registers a member for each number of the graph (member0, member1 …), lets them follow each other along the "
     "ties,\n"
     "and posts texts as their notes: all through the public API. Repeating it, or taking up one that was stopped, "
     "adds\n"
     "only what is missing. Further operands are files of texts, like those of --texts.\n"},
    {"admin", cmd_admin, "FAMILY COMMAND …", "look after a running network",
     "audit list             the newest entries of the audit log: what was changed, by whom, from where\n"
     "audit export           all of it, as lines of JSON\n"
     "audit verify           checks that no entry was altered, deleted or moved, and prints the head of its chain.\n"
     "                       Keep that elsewhere: with --head the next check also finds a tail that was cut off\n"
     "deadletters list       events that a service could not handle\n"
     "deadletters replay     asks the service to handle them again: those given by id, or all\n"
     "media check            rows without a file, files of a day without a row, quotas that are not what they sum up "
     "to\n"
     "media move bucket, media move folder\n"
     "                       copies what is missing from MEDIA_DIR to MEDIA_STORE, or back\n"
     "media block HASH|MEDIA REASON\n"
     "                       keeps a file out, by its SHA-256 or by how it looks; what is here already fails\n"
     "media unblock HASH, media blocks\n"
     "                       takes it off the list; shows the list\n"
     "user show MEMBER       an account, by id, username or e-mail address\n"
     "user list              the newest accounts, those of --role or with --suspended only\n"
     "user role MEMBER ROLE  gives a member a role: member, moderator or administrator\n"
     "user suspend MEMBER REASON\n"
     "                       ends all their sessions; nobody can log in, or is shown them or what they wrote\n"
     "user unsuspend MEMBER  lifts that\n"
     "user reset-2fa MEMBER  removes all second factors of a member who lost them; they are mailed\n"
     "\n"
     "Without DATABASE_URL it finds the databases of 'sonet up'.\n"},
    {"help", cmd_help, "[COMMAND]", "explain a command", "Without a command it lists them all.\n"},
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
        fprintf(to, "\n'sonet help COMMAND' says more. Most people start with 'sonet up'.\n");
}

static int refuse_command(const char *name)
{
        const char *near = nearest_name(name, &COMMANDS[0].name, N_COMMANDS, sizeof(COMMANDS[0]));

        fprintf(stderr, "sonet: there is no command '%s'", name);
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

/* Whoever starts us with one of 0, 1 and 2 closed would otherwise have our words written into the next file that we
 * open. */
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
        prctl(PR_SET_NAME,
              "sonet"); /* children of 'sonet up' are started by descriptor, which leaves a number as their name */
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
        if (strcmp(argv[1], DECODE_COMMAND) == 0) { /* asked by media_service, of itself: no command for people */
                return decode_main(argc - 1, argv + 1);
        }
        const struct command *command = command_find(argv[1]);
        return command != NULL ? command->run(argc - 1, argv + 1) : refuse_command(argv[1]);
}
