# Writes OUTPUT, a C source with each of FILES as PREFIX_NAME_EXTENSION[] and its size as
# PREFIX_NAME_EXTENSION_size; HEADER declares them. Run with cmake -P.

set(text "#include \"${HEADER}\"\n")
foreach(file IN LISTS FILES)
    get_filename_component(name "${file}" NAME)
    string(MAKE_C_IDENTIFIER "${PREFIX}_${name}" name)
    file(READ "${file}" bytes HEX)
    # 16 bytes a line, then each byte a number.
    string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(APPEND text "\nconst unsigned char ${name}[] = {\n${bytes}\n};\n"
                       "const size_t ${name}_size = sizeof(${name});\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
