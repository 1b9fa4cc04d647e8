# usvc_flags: what every file of usvc is compiled and linked with. Optimisation and sanitizers are the presets' business.
add_library(usvc_flags INTERFACE)
target_compile_features(usvc_flags INTERFACE cxx_std_23)
target_include_directories(usvc_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(
  usvc_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            $<$<NOT:$<BOOL:${USVC_UNITY}>>:-Wshadow>  # of files that are else not read together
            -Wconversion
            -Wold-style-cast
            -Wswitch-enum
            -Wmissing-declarations
            -Wnon-virtual-dtor
            # No path of the machine that built it ends up in a program.
            -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
            -fPIE
            -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++'s stable_sort uses what it declares deprecated.
  target_compile_options(usvc_flags INTERFACE -Wno-deprecated-declarations)
endif()
# usvc_unity(TARGET): where the preset asks for it, the target's files are compiled together.
function(usvc_unity target)
  if(USVC_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(
    usvc_flags
    INTERFACE -Wlogical-op
              -Wduplicated-cond
              # g++ 12 sees overlaps in std::string's operator+ that are not there (GCC bug 105651).
              -Wno-restrict
              # Nor does it see that a coroutine frame of Asio's is freed by the allocator it came from; the address
              # sanitizer watches that pair.
              -Wno-mismatched-new-delete
              # Takes a tenth of the build time of files full of Boost and serves only debuggers.
              -fno-var-tracking-assignments)
endif()
target_compile_definitions(usvc_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(usvc_flags INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
if(NOT USVC_SANITIZE)
  # Wants optimisation, which every preset has; the sanitizers do the same and more.
  target_compile_options(usvc_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
else()
  # Without these four a file full of Boost builds in half the time: the address sanitizer stops at a null pointer or a
  # dead object anyway. Instrumented code confuses g++'s flow analysis; the plain builds keep that warning.
  target_compile_options(
    usvc_flags
    INTERFACE -fsanitize=${USVC_SANITIZE}
              -fno-sanitize=null,vptr,alignment,object-size
              -fno-sanitize-recover=all
              -fno-omit-frame-pointer
              $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(usvc_flags INTERFACE -fsanitize=${USVC_SANITIZE})
  if(USVC_SANITIZE MATCHES thread)
    # The thread sanitizer does not understand fences; what they order in Asio is ordered by its mutexes as well.
    target_compile_definitions(usvc_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
