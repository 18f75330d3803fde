/* The packed ranks as they lie in ranks/, put into the program by the assembler. WEIR_RANKS_FOLDER
 * comes from the build, which also knows that this file depends on them. */
#include "models/tokens/tokenizer_internal.h"

/* The file's bytes under the symbol, and their number under symbol_size. */
#define EMBED(symbol, file)                                                                        \
    __asm__(".section .rodata\n"                                                                   \
            ".balign 16\n"                                                                         \
            ".globl " symbol "\n"                                                                  \
            ".hidden " symbol "\n" symbol ":\n"                                                    \
            ".incbin \"" WEIR_RANKS_FOLDER "/" file "\"\n" symbol "_end:\n"                        \
            ".balign 8\n"                                                                          \
            ".globl " symbol "_size\n"                                                             \
            ".hidden " symbol "_size\n" symbol "_size:\n"                                          \
            ".quad " symbol "_end - " symbol "\n"                                                  \
            ".previous\n")

#define HIDDEN __attribute__((visibility("hidden")))

EMBED("weir_ranks_o200k", "o200k_base.ranks.zst");
HIDDEN extern const char weir_ranks_o200k[];
HIDDEN extern const uint64_t weir_ranks_o200k_size;

EMBED("weir_ranks_cl100k", "cl100k_base.ranks.zst");
HIDDEN extern const char weir_ranks_cl100k[];
HIDDEN extern const uint64_t weir_ranks_cl100k_size;

struct slice ranks_of(enum token_encoding encoding)
{
    if (encoding == TOKEN_ENCODING_O200K)
        return slice_of(weir_ranks_o200k, (size_t)weir_ranks_o200k_size);
    return slice_of(weir_ranks_cl100k, (size_t)weir_ranks_cl100k_size);
}
