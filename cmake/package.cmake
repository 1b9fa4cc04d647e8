# `make deb`: a Debian package of what `make install` installs, with what Debian's policy wants besides.
option(USVC_PACKAGE "Install as into a Debian package: the manual compressed, a changelog, a copyright" OFF)
if(NOT USVC_PACKAGE)
  return()
endif()

set(packaging ${PROJECT_SOURCE_DIR}/packaging)
set(made ${PROJECT_BINARY_DIR}/packaging)
find_program(GZIP gzip REQUIRED)
install(CODE "
  file(GLOB_RECURSE pages \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/man/*.[1-9]\")
  execute_process(COMMAND ${GZIP} -9nf \${pages} COMMAND_ERROR_IS_FATAL ANY)
  file(MAKE_DIRECTORY ${made})
  execute_process(COMMAND ${GZIP} -9nc ${packaging}/changelog OUTPUT_FILE ${made}/changelog.gz COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${packaging}/copyright DESTINATION share/doc/usvc)
install(FILES ${made}/changelog.gz DESTINATION share/doc/usvc)
install(FILES ${packaging}/lintian-overrides DESTINATION share/lintian/overrides RENAME usvc)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME usvc)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The usvc developers <maintainers@usvc.invalid>")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "keep programs running, without root
usvc runs programs in the background as the user who starts them: each has a
terminal of its own, is started again when it crashes, keeps its output in a
log that can be searched by time, and can be looked at. There are no unit
files to write, and no process of usvc's own whose death would end a job.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "tmux, openssh-client")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "curl, default-mta | mail-transport-agent")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${packaging}/postinst;${packaging}/prerm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
