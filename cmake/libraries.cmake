# One target for each library named in rooms.txt: usvc_lib_NAME.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
pkg_check_modules(libmd REQUIRED IMPORTED_TARGET libmd)
# Linked in: the client, which lives for a millisecond, would load it for every command.
find_library(zstd_archive NAMES libzstd.a REQUIRED)
# The line editor for the same reason, with what it is made of.
find_library(edit_archive NAMES libedit.a REQUIRED)
find_library(bsd_archive NAMES libbsd.a REQUIRED)
find_library(md_archive NAMES libmd.a REQUIRED)
# The screen of `top`, and what knows terminals, for the same reason.
find_library(curses_archive NAMES libncursesw.a REQUIRED)
find_library(tinfo_archive NAMES libtinfo.a REQUIRED)
find_library(vterm_archive NAMES libvterm.a REQUIRED)
# What reads other programs' sets of jobs, for the same reason.
find_library(yaml_archive NAMES libyaml.a REQUIRED)

set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)

add_library(usvc_lib_fmt INTERFACE)
target_link_libraries(usvc_lib_fmt INTERFACE fmt::fmt-header-only)

add_library(usvc_lib_json INTERFACE)
target_link_libraries(usvc_lib_json INTERFACE Boost::json)

# Asio and Beast are header-only by default, which costs every file that includes them seconds. Compiled once instead.
add_library(usvc_boost_impl STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/boost_impl.cpp)
target_link_libraries(usvc_boost_impl PUBLIC Boost::headers Threads::Threads PRIVATE usvc_flags)
target_compile_options(usvc_boost_impl PRIVATE -w)
target_compile_definitions(
  usvc_boost_impl
  PUBLIC BOOST_ASIO_SEPARATE_COMPILATION
         BOOST_BEAST_SEPARATE_COMPILATION
         # The old executor interface, which would otherwise be compiled into every operation.
         BOOST_ASIO_NO_DEPRECATED
         # A coroutine's frame would get whatever larger piece was used last, and keep it for as long as its job lives.
         BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING
         BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING)

add_library(usvc_lib_asio INTERFACE)
target_link_libraries(usvc_lib_asio INTERFACE usvc_boost_impl)

add_library(usvc_lib_beast INTERFACE)
target_link_libraries(usvc_lib_beast INTERFACE usvc_boost_impl)

add_library(usvc_lib_md INTERFACE)
target_link_libraries(usvc_lib_md INTERFACE PkgConfig::libmd)

add_library(usvc_lib_crc INTERFACE)
target_link_libraries(usvc_lib_crc INTERFACE Boost::headers)

add_library(usvc_lib_zstd INTERFACE)
target_link_libraries(usvc_lib_zstd INTERFACE ${zstd_archive} Threads::Threads)

add_library(usvc_lib_edit INTERFACE)
target_link_libraries(usvc_lib_edit INTERFACE ${edit_archive} ${bsd_archive} ${md_archive} ${tinfo_archive})
add_library(usvc_lib_curses INTERFACE)
target_link_libraries(usvc_lib_curses INTERFACE ${curses_archive} ${tinfo_archive})
add_library(usvc_lib_vterm INTERFACE)
target_link_libraries(usvc_lib_vterm INTERFACE ${vterm_archive})
add_library(usvc_lib_yaml INTERFACE)
target_link_libraries(usvc_lib_yaml INTERFACE ${yaml_archive})
