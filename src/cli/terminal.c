#include "cli/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/slice.h"

#define COLUMNS_DEFAULT 100

static const char *set_variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool terminal_has_looks(void)
{
    return isatty(STDOUT_FILENO) && set_variable("NO_COLOR") == NULL;
}

/* The character set of a locale stands behind its point: "en_US.UTF-8", "C.utf8@variant". */
bool terminal_has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && locale == NULL; i++)
        locale = set_variable(names[i]);
    if (locale == NULL)
        return false;
    const struct slice text = slice_from_text(locale);
    const size_t point = slice_find_byte(text, '.');
    if (point == text.size)
        return false;
    struct slice set = slice_from(text, point + 1);
    set = slice_of(set.data, slice_find_byte(set, '@'));
    return slice_equal_nocase(set, SLICE("utf-8")) || slice_equal_nocase(set, SLICE("utf8"));
}

size_t terminal_columns(void)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return COLUMNS_DEFAULT;
}
