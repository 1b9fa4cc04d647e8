# Completion of usvc for bash. What may come next is usvc's own to say (usvc help complete).
_usvc() {
  local program=${COMP_WORDS[0]/#\~/$HOME} word=${COMP_WORDS[COMP_CWORD]} line
  local -a found
  COMPREPLY=()
  # A word that bash has just begun is the character that took it apart.
  [[ $word == [:=] ]] && word=
  while IFS= read -r line; do
    found=()
    case $line in
      :files) compopt -o filenames; mapfile -t found < <(compgen -f -- "$word") ;;
      :directories) compopt -o filenames; mapfile -t found < <(compgen -d -- "$word") ;;
      :programs) mapfile -t found < <(compgen -c -- "$word") ;;
      *) found=("${line%%$'\t'*}") ;;
    esac
    COMPREPLY+=("${found[@]}")
  done < <("$program" complete --breaks "$COMP_WORDBREAKS" --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -F _usvc usvc
