/* Commands: what `sonet X` can be. One row each in main.c; adding a command is a row there and a cmd_x here. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

struct command {
        const char *name;
        int (*run)(int argc, char **argv); /* argv[0] is the command's name; gives the exit code */
        const char *operands;              /* what stands after the name, for the usage line; "" when nothing does */
        const char *summary;               /* one line for `sonet help` */
        const char *details;               /* paragraphs for `sonet help X` */
};

/* NULL when there is no such command. */
const struct command *command_find(const char *name);

/* Exit codes: 0 done, 1 it failed, 2 the command line was wrong, 78 (EX_CONFIG) the settings of `sonet serve` are:
 * starting it again would not help. */
#define EXIT_USAGE    2
#define EXIT_SETTINGS 78

int cmd_up(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_admin(int argc, char **argv);

#endif
