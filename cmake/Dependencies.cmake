# weir_dependencies: the libraries, from the distribution. Those that Debian 12 lacks are unpacked
# by tools/deps into build/deps, which is looked at first.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(weir_packages REQUIRED IMPORTED_TARGET
    libuv libssl libcrypto libcares sqlite3 yaml-0.1 zlib libzstd libbrotlidec libsodium)

set(private_deps "${CMAKE_SOURCE_DIR}/build/deps/usr")
set(private_lib "${private_deps}/lib/${CMAKE_LIBRARY_ARCHITECTURE}")

# A static library is preferred: the call is cheaper and there is nothing to find at run time.
function(weir_find_library name)
    find_library(weir_${name}_library NAMES lib${name}.a ${name}
                 HINTS "${private_deps}/lib" "${private_lib}")
    if(NOT weir_${name}_library)
        message(FATAL_ERROR "lib${name} is missing; tools/deps build brings it")
    endif()
    target_link_libraries(weir_dependencies INTERFACE "${weir_${name}_library}")
endfunction()

function(weir_find_header name)
    find_path(weir_${name}_folder NAMES ${name}.h HINTS "${private_deps}/include")
    if(NOT weir_${name}_folder)
        message(FATAL_ERROR "${name}.h is missing; tools/deps build brings it")
    endif()
    target_include_directories(weir_dependencies SYSTEM INTERFACE "${weir_${name}_folder}")
endfunction()

add_library(weir_dependencies INTERFACE)
target_link_libraries(weir_dependencies INTERFACE PkgConfig::weir_packages Threads::Threads)
foreach(name llhttp yyjson)
    weir_find_header(${name})
    weir_find_library(${name})
endforeach()
# Only make_fcontext and jump_fcontext, which src/io declares itself: no header of Boost's.
weir_find_library(boost_context)
