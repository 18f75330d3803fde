/* `weir serve`: the process that stays. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

/* argv[0] is "serve". Returns the exit code: 0 after an orderly stop, 1 if it could not start, 2
 * for wrong usage or configuration. */
int serve_command(int argc, char **argv);

#endif
