# How every C and C++ file of the project is compiled. A target takes it with libmarc_compile(<target>).
include_guard(GLOBAL)

set(libmarc_warnings -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wcast-align -Wcast-qual
  -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough)
set(libmarc_cxx_warnings -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wextra-semi)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns about std::string itself at -O3 (GCC bug 105651).
  list(APPEND libmarc_cxx_warnings -Wno-restrict)
endif()
set(libmarc_c_warnings -Wstrict-prototypes -Wmissing-prototypes)

function(libmarc_compile target)
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
    POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE
    ${libmarc_warnings}
    "$<$<COMPILE_LANGUAGE:CXX>:${libmarc_cxx_warnings}>"
    "$<$<COMPILE_LANGUAGE:C>:${libmarc_c_warnings}>"
    # Line numbers for profiles, valgrind and stack traces; an installed wheel is stripped.
    $<$<CONFIG:Release>:-g1>
    # Statics of inline functions stay private to each shared object, also with two copies of libmarc in one process.
    $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  if(LIBMARC_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  libmarc_instrument(${target})
endfunction()

# Sanitizers and coverage: also for code that is not ours and has warnings of its own.
function(libmarc_instrument target)
  if(LIBMARC_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${LIBMARC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${LIBMARC_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # With the sanitizers' extra branches GCC finds uninitialized values inside std::function that are none.
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
    if(LIBMARC_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # GCC's ThreadSanitizer does not follow the fences inside Boost.Asio and says so at each of them.
      target_compile_options(${target} PRIVATE -Wno-tsan)
    endif()
  endif()
  if(LIBMARC_BUILD_FUZZ AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # libFuzzer sees which branches a run takes; the fuzz targets alone link its main function.
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(LIBMARC_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic)
    target_link_options(${target} PRIVATE --coverage)
  endif()
endfunction()
