# The three programs. A build tree is laid out like an installed one, since each finds the others relative to itself.
function(usvc_program name main directory)
  set(source ${PROJECT_SOURCE_DIR}/src/main/${main}.cpp)
  file(GLOB present CONFIGURE_DEPENDS ${source})
  if(NOT present)
    return()
  endif()
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE usvc_flags ${USVC_LINKS_main_${main}})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${directory})
  install(TARGETS ${name} RUNTIME DESTINATION ${directory})
  set_property(GLOBAL APPEND PROPERTY USVC_PROGRAMS ${name})
endfunction()

usvc_program(usvc usvc bin)
usvc_program(usvc-manager manager libexec/usvc)
usvc_program(usvc-keeper keeper libexec/usvc)

# The client lives for a moment, so loading libraries is most of its life, and without an instance the manager's program
# lives for one as well; the keeper must not depend on what an upgrade of the system replaces.
if(NOT USVC_SANITIZE)
  foreach(program usvc usvc-manager usvc-keeper)
    if(TARGET ${program})
      target_link_options(${program} PRIVATE $<$<CONFIG:Release>:-static-libstdc++> $<$<CONFIG:Release>:-static-libgcc>)
    endif()
  endforeach()
endif()
