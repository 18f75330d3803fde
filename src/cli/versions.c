/* `weir version`. */
#include <ares.h>
#include <brotli/decode.h>
#include <llhttp.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <uv.h>
#include <yaml.h>
#include <yyjson.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buffer.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/version.h"
#include "json/write.h"

#define VERSION_BYTES 32
#define TEXT_BYTES    4096
#define COUNT(items)  (sizeof(items) / sizeof((items)[0]))

static const char help[] = "Usage: weir version [--verbose, -v] [--json]\n"
                           "\n"
                           "Prints the version; --verbose and --json also those of the libraries.\n"
                           "\n"
                           "Example:\n"
                           "  weir version --json\n";

/* Versions of what is linked at run time, but for the two that are only known at build time. */
struct library {
    const char *name, *version;
};

static void write_number(char text_out[VERSION_BYTES], unsigned major, unsigned minor,
                         unsigned patch)
{
    snprintf(text_out, VERSION_BYTES, "%u.%u.%u", major, minor, patch);
}

static void print_text(const struct library *libraries, size_t count, bool is_verbose)
{
    printf("weir %s\n", WEIR_VERSION);
    for (size_t i = 0; is_verbose && i < count; i++)
        printf("  %-8s %s\n", libraries[i].name, libraries[i].version);
}

static void print_json(const struct library *libraries, size_t count)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, TEXT_BYTES);
    json_writer_init(&writer, &text);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("version"));
    json_write_string(&writer, SLICE(WEIR_VERSION));
    json_write_key(&writer, SLICE("libraries"));
    json_write_object(&writer);
    for (size_t i = 0; i < count; i++) {
        json_write_key(&writer, slice_from_text(libraries[i].name));
        json_write_string(&writer, slice_from_text(libraries[i].version));
    }
    json_write_end(&writer);
    json_write_end(&writer);
    printf("%.*s\n", SLICE_ARGS(buffer_slice(&text)));
    buffer_fini(&text);
}

int version_command(int argc, char **argv)
{
    bool json = false, verbose = false;
    const char *config = NULL, *data_dir = NULL; /* every command takes them */
    char openssl[VERSION_BYTES], llhttp[VERSION_BYTES], brotli[VERSION_BYTES];
    const struct option_spec specs[] = {
        OPTION_TEXT("config", &config), OPTION_TEXT("data-dir", &data_dir),
        OPTION_FLAG("json", &json), OPTION_FLAG_LETTER("verbose", &verbose, 'v')};
    const int code = options_parse(argc, argv, specs, COUNT(specs), NULL, help);
    if (code >= 0)
        return code;
    const unsigned packed = BrotliDecoderVersion();
    write_number(brotli, packed >> 24, packed >> 12 & 0xfff, packed & 0xfff);
    write_number(llhttp, LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    write_number(openssl, OPENSSL_version_major(), OPENSSL_version_minor(),
                 OPENSSL_version_patch());
    const struct library libraries[] = {
        {"brotli", brotli},
        {"c-ares", ares_version(NULL)},
        {"libsodium", sodium_version_string()},
        {"libuv", uv_version_string()},
        {"libyaml", yaml_get_version_string()},
        {"llhttp", llhttp},
        {"openssl", openssl},
        {"sqlite", sqlite3_libversion()},
        {"yyjson", YYJSON_VERSION_STRING},
        {"zlib", zlibVersion()},
        {"zstd", ZSTD_versionString()},
    };
    if (json)
        print_json(libraries, COUNT(libraries));
    else
        print_text(libraries, COUNT(libraries), verbose);
    return 0;
}
