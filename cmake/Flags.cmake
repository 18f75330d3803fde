# weir_flags: how every C file of the project is compiled and linked.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(weir_flags INTERFACE)
target_compile_definitions(weir_flags INTERFACE _GNU_SOURCE)
target_compile_options(weir_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -fno-omit-frame-pointer)

# No path of the machine that built it: neither in the messages of ASSERT nor for the debugger.
set(path_map "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
target_compile_options(weir_flags INTERFACE "${path_map}")
target_link_options(weir_flags INTERFACE "${path_map}")

if(WEIR_WERROR)
    target_compile_options(weir_flags INTERFACE -Werror)
endif()

# A coroutine's stack is 64 KiB. Sanitizers pad every frame, so the limit is not for them, nor for
# tests, which run on a whole stack.
set(weir_frame_limit "")
if(WEIR_SANITIZE STREQUAL "")
    set(weir_frame_limit -Wframe-larger-than=4096)
else()
    target_compile_options(weir_flags INTERFACE "-fsanitize=${WEIR_SANITIZE}"
                                                -fno-sanitize-recover=all)
    target_link_options(weir_flags INTERFACE "-fsanitize=${WEIR_SANITIZE}")
endif()

if(WEIR_HARDENING)
    target_compile_options(weir_flags INTERFACE
        -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero)
    target_compile_definitions(weir_flags INTERFACE _FORTIFY_SOURCE=3)
    target_link_options(weir_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        target_compile_options(weir_flags INTERFACE -fcf-protection)
    endif()
endif()

# gcc clears and copies what is larger than a few words with `rep stos` and `rep movs`, which take longer
# to start than the C library's functions take for hundreds of bytes.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(string_flags -mmemset-strategy=vector_loop:256:noalign,libcall:-1:noalign
                     -mmemcpy-strategy=libcall:-1:noalign)
    target_compile_options(weir_flags INTERFACE ${string_flags})
    target_link_options(weir_flags INTERFACE ${string_flags})
endif()

if(WEIR_COVERAGE)
    target_compile_options(weir_flags INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(weir_flags INTERFACE --coverage)
endif()

if(WEIR_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "the fuzz targets need clang (libFuzzer)")
    endif()
    target_compile_options(weir_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
