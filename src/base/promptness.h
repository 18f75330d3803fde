/* How soon a thread runs once it has something to do, where there are more threads than cores.
 *
 * A request waits for its worker; nobody waits for a line of the log or a row in the store. What is asked for
 * is a wish: a kernel that does not know it, or a limit that forbids it, changes nothing else. Both are
 * about the calling thread. */
#ifndef BASE_PROMPTNESS_H
#define BASE_PROMPTNESS_H

/* Others wait for this thread: it runs at once, for a short while (Linux 6.12). */
void promptness_high(void);
/* Nobody waits for this thread: it takes what the others leave, and somewhat less of the core than they
 * where all are busy. Not so little that it would fall behind a worker that never sleeps. */
void promptness_low(void);

#endif
