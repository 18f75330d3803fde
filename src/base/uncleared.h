/* Variables that are not cleared.
 *
 * A release clears each variable that its declaration does not initialise, so that a mistake reads zeros
 * and not what others left on the stack. Of large ones on the path of every request, all that is read of
 * them is set first, and clearing them costs more than what they are for. */
#ifndef BASE_UNCLEARED_H
#define BASE_UNCLEARED_H

#if defined(__has_attribute) && __has_attribute(uninitialized)
#define UNCLEARED __attribute__((uninitialized))
#else
#define UNCLEARED
#endif

#endif
