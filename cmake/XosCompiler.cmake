# Language, warnings, hardening and the instrumented builds.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(XOS_SANITIZE "" CACHE STRING "comma-separated sanitizers, for example address,undefined")
option(XOS_FUZZ "build the fuzz targets with libFuzzer (clang)" OFF)
option(XOS_COVERAGE "count executed lines and branches" OFF)
option(XOS_WERROR "warnings are errors" ON)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wvla -Wformat=2 -Wundef -Wwrite-strings
  -Wimplicit-fallthrough -fno-common)
if(XOS_WERROR)
  add_compile_options(-Werror)
endif()

# Hardening; _FORTIFY_SOURCE needs optimisation and hides overflows from the sanitizers.
add_compile_options(-fstack-protector-strong)
# Every symbol is bound at the start (-z now below): stubs that bind at the first call are in vain.
add_compile_options(-fno-plt)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
  add_compile_options(-fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  add_compile_options(-mbranch-protection=standard)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT XOS_SANITIZE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fstack-clash-protection)
  # Messages for people are cut to their buffers on purpose; whoever cares checks the length.
  add_compile_options(-Wno-format-truncation)
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -pie")

if(XOS_SANITIZE)
  add_compile_options(-fsanitize=${XOS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${XOS_SANITIZE})
endif()
if(XOS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
if(XOS_COVERAGE)
  # Counters that threads share would run backwards otherwise, and gcovr refuses such a count.
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
