/* The subcommands of `sonet`. Adding one takes a row in main.c and a cmd_x here. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

struct command {
        const char *name;
        int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
        const char *operands;              /* for the usage line; "" if there are none */
        const char *summary;               /* one line for `sonet help` */
        const char *details;               /* paragraphs for `sonet help X` */
};

/* NULL if there is no such command. */
const struct command *command_find(const char *name);

/* Exit codes: 0 success, 1 failure, 2 usage error, 78 (EX_CONFIG) invalid settings of `sonet serve` or `sonet up`:
 * restarting it would not help. */
#define EXIT_USAGE    2
#define EXIT_SETTINGS 78

int cmd_up(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_admin(int argc, char **argv);

#endif
