/* The commands. Each takes argv with its own name first and returns the exit code: 0 done, 1
 * failed, 2 wrong usage or input. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

int teams_command(int argc, char **argv);
int users_command(int argc, char **argv);
int keys_command(int argc, char **argv);
int tokens_command(int argc, char **argv);
int models_command(int argc, char **argv);
int usage_command(int argc, char **argv);
int secrets_command(int argc, char **argv);
int prices_command(int argc, char **argv);
int check_command(int argc, char **argv);
int config_command(int argc, char **argv);
int explain_command(int argc, char **argv);
int audit_command(int argc, char **argv);
int version_command(int argc, char **argv);

#endif
