# Completion of usvc for fish. What may come next is usvc's own to say (usvc help complete).
function __usvc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -e words[1]
    for line in ($program complete -- $words $current 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path $current
            case ':directories'
                __fish_complete_directories $current
            case ':programs'
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end
complete -c usvc -f -a '(__usvc_complete)'
