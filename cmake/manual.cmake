# The man pages: written at build time by a program that has the same tables as usvc itself.
add_executable(usvc-manual ${PROJECT_SOURCE_DIR}/src/main/manual.cpp)
target_link_libraries(usvc-manual PRIVATE usvc_flags ${USVC_LINKS_main_manual})
# The date of the last change to what the manual says. Of the one file that names it, so that a new date does not compile everything anew.
set(USVC_DATE 2026-11-27)
set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/manual/pages.cpp APPEND PROPERTY COMPILE_DEFINITIONS USVC_DATE="${USVC_DATE}")

file(GLOB templates CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*)
set(pages ${PROJECT_BINARY_DIR}/man)
add_custom_command(
  OUTPUT ${pages}.stamp
  COMMAND usvc-manual ${PROJECT_SOURCE_DIR}/docs/man ${pages}
  COMMAND ${CMAKE_COMMAND} -E touch ${pages}.stamp
  DEPENDS usvc-manual ${templates}
  COMMENT "Writing the manual"
  VERBATIM)
add_custom_target(manual ALL DEPENDS ${pages}.stamp)
install(DIRECTORY ${pages}/ DESTINATION share/man)
install(FILES ${pages}.json DESTINATION share/doc/usvc RENAME openapi.json)
