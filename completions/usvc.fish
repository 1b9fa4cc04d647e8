# Completion of usvc for fish. What may come next is usvc's own to say (usvc help complete).
# As the shell would take the word, whose quote may still be open.
function __usvc_unquoted --argument-names word
    string unescape -- $word; or string unescape -- $word"'"; or string unescape -- $word'"'; or echo -- $word
end
# Files that go on from the word, or from the value behind an option's =. A ~ stays as it was typed.
function __usvc_files --argument-names word only
    set -l option (string match -r -- '^--[^=]+=' $word)
    set -l path (string sub -s (math 1 + (string length -- "$option")) -- $word)
    set -l real (string replace -r '^~(?=/)' $HOME -- $path)
    for file in $real*
        test -d $file; and set file $file/; or test -z "$only"; or continue
        echo -- "$option$path"(string sub -s (math 1 + (string length -- "$real")) -- $file)
    end
end
function __usvc_complete
    set -l words (commandline -opc)
    set -l current (__usvc_unquoted (commandline -ct))
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -e words[1]
    for line in ($program complete -- $words "$current" 2>/dev/null)
        switch $line
            case ':files'
                __usvc_files "$current"
            case ':directories'
                __usvc_files "$current" directories
            case ':programs'
                __fish_complete_command
            case '*'
                echo -- $line
        end
    end
end
complete -c usvc -f -a '(__usvc_complete)'
