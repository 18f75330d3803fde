/* The packed ranks as they lie in ranks/, put into the program by the assembler. WEIR_RANKS_FOLDER
 * comes from the build, which also knows that this file depends on them. */
#include "models/tokens/tokenizer_internal.h"

#define EMBED(symbol, file)                                                                        \
    __asm__(".section .rodata\n"                                                                   \
            ".balign 16\n"                                                                         \
            ".globl " #symbol "\n"                                                                 \
            ".hidden " #symbol "\n" #symbol ":\n"                                                  \
            ".incbin \"" WEIR_RANKS_FOLDER "/" file "\"\n"                                         \
            ".globl " #symbol "_end\n"                                                             \
            ".hidden " #symbol "_end\n" #symbol "_end:\n"                                          \
            ".byte 0\n"                                                                            \
            ".previous\n");                                                                        \
    extern const char symbol[] __attribute__((visibility("hidden")));                              \
    extern const char symbol##_end[] __attribute__((visibility("hidden")))

EMBED(weir_ranks_o200k, "o200k_base.ranks.zst");
EMBED(weir_ranks_cl100k, "cl100k_base.ranks.zst");

struct slice ranks_of(enum token_encoding encoding)
{
    if (encoding == TOKEN_ENCODING_O200K)
        return slice_of(weir_ranks_o200k, (size_t)(weir_ranks_o200k_end - weir_ranks_o200k));
    return slice_of(weir_ranks_cl100k, (size_t)(weir_ranks_cl100k_end - weir_ranks_cl100k));
}
