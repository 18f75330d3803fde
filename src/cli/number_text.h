/* Numbers for people. Pure. */
#ifndef CLI_NUMBER_TEXT_H
#define CLI_NUMBER_TEXT_H

#include <stdint.h>

#include "base/slice.h"

#define NUMBER_TEXT_BYTES 40

/* "1,234,567". */
struct slice number_text(uint64_t value, char text_out[NUMBER_TEXT_BYTES]);

/* Nano-dollars as "$1,234.57", with so many digits after the point (1 to 9), rounded half up; what
 * is not 0 but would look so is "<$0.01". */
struct slice money_text(int64_t nanousd, unsigned digits, char text_out[NUMBER_TEXT_BYTES]);

/* How many digits suit a table whose largest amount this is: 2, 4 or 6. */
unsigned money_digits(int64_t nanousd);

#endif
