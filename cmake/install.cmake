# Completions, those that exist. Man pages: manual.cmake.
function(usvc_completion file directory name)
  file(GLOB present CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/completions/${file})
  if(present)
    install(FILES ${present} DESTINATION ${directory} RENAME ${name})
  endif()
endfunction()
usvc_completion(usvc.bash share/bash-completion/completions usvc)
# Debian's zsh looks for packages' functions elsewhere.
usvc_completion(_usvc share/zsh/$<IF:$<BOOL:${USVC_PACKAGE}>,vendor-completions,site-functions> _usvc)
usvc_completion(usvc.fish share/fish/vendor_completions.d usvc.fish)
