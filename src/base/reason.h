/* Why something failed, in words for whoever has to mend it. Recorded once, where it is found.
 *
 * A NULL reason is allowed everywhere: then nobody wants to know. */
#ifndef BASE_REASON_H
#define BASE_REASON_H

struct reason {
    char text[320]; /* one line without a full stop at the end; longer text is cut */
};

__attribute__((format(printf, 2, 3))) void reason_set(struct reason *reason, const char *format,
                                                      ...);

#endif
