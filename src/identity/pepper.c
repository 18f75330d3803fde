#include "identity/pepper.h"

#include <string.h>

#include "base/encoding.h"
#include "base/random.h"
#include "io/secret_file.h"

#define FILE_NAME "pepper"
#define TEXT_SIZE (2 * (size_t)PEPPER_SIZE)

enum status pepper_load(const char *data_dir, unsigned char pepper_out[PEPPER_SIZE],
                        struct reason *reason)
{
    struct buffer text;
    buffer_init(&text, 4 * TEXT_SIZE);
    enum status status = secret_file_read(data_dir, FILE_NAME, &text, reason);
    if (status == STATUS_OK) {
        status = hex_decode(buffer_slice(&text), pepper_out, PEPPER_SIZE);
        if (status != STATUS_OK)
            reason_set(reason,
                       "%s/secrets/" FILE_NAME " is not %zu hexadecimal digits; restore it from "
                       "a backup",
                       data_dir, TEXT_SIZE);
    }
    if (text.size > 0)
        explicit_bzero(text.data, text.size);
    buffer_fini(&text);
    return status;
}

enum status pepper_create(const char *data_dir, unsigned char pepper_out[PEPPER_SIZE],
                          struct reason *reason)
{
    char text[TEXT_SIZE];
    random_bytes(pepper_out, PEPPER_SIZE);
    hex_encode(pepper_out, PEPPER_SIZE, text);
    const enum status status =
        secret_file_create(data_dir, FILE_NAME, slice_of(text, sizeof(text)), reason);
    explicit_bzero(text, sizeof(text));
    return status;
}
