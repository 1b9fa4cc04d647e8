#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/command.h"

namespace usvc {

namespace {

constexpr std::string_view about_selectors =
    "A SELECTOR is a job's name, a group, all, live, dead (not running), a quoted\n"
    "glob ('web-*') or state:STATE; several are added up.\n";

constexpr std::string_view about_stop =
    "Each gets its stop signal (TERM); what is left of it after its stop timeout\n"
    "(10 s) is killed. Returns when nothing is left. A stopped job is not started\n"
    "again before usvc start does it, not even with the machine; a start that comes\n"
    "while it is being stopped begins a new run after that.\n"
    "A SELECTOR is a job's name, a group, all, live, dead (not running), a quoted\n"
    "glob ('web-*') or state:STATE; several are added up.\n";

constexpr std::string_view about_top =
    "Needs a terminal. CPU is what a job's processes took since the last look, 100%\n"
    "being one core; behind it and behind the memory stand the last looks. Below the\n"
    "jobs is what the selected one printed last. ? shows the keys, q leaves.\n"
    "A SELECTOR is a job's name, a group, all, live, dead (not running), a quoted\n"
    "glob ('web-*') or state:STATE; several are added up.\n";

constexpr std::string_view about_log =
    "A SELECTOR is a job's name, a group, all, live, dead (not running), a quoted\n"
    "glob ('web-*') or state:STATE; several are added up.\n"
    "Old, compressed and live files are shown as one. Several jobs are merged by\n"
    "time, each line with its job's name; with -f those are added that begin later.\n"
    "What a job that keeps stderr apart wrote there has a ! in front.\n"
    "On a terminal control sequences other than colours are left out, of a line that\n"
    "overwrites itself (a progress bar) the last state is shown, with -f also while\n"
    "it is written, and between the lines, dim, stands what usvc did. What is longer\n"
    "goes through $PAGER, which begins at the end where -n N chose the last lines.\n"
    "A pipe gets one job's bytes untouched; of several, or with -t, plain lines.\n"
    "Times are of the batch that a line came with; --since and --until count by\n"
    "them, and --since also shows the batch before where the moment lies in it.\n"
    "With --json each line is {\"t\",\"job\",\"run_id\",\"stream\",\"line\"}. Where it is not\n"
    "UTF-8 \"escaped\" is true, such bytes are written \\xHH, and a backslash twice (so\n"
    "it is in all of usvc's JSON: see usvc-api(7)).\n"
    "Exactly what one run wrote: usvc logchunk RUN-ID.\n";

constexpr std::string_view about_attach =
    "Ctrl-D leaves; Ctrl-C is held back; Ctrl-] then a key sends that key as it is.\n"
    "All other keys are the job's. Several may look and type at once; the window has\n"
    "the size of who typed last. When the job ends and starts again it goes on.\n"
    "Where there is no terminal: usvc log -f JOB.\n"
    "Without JOB: a tmux session of this instance. Window 0 is the console with a\n"
    "table of the jobs, then comes a window for each live job. Ctrl-D detaches,\n"
    "Ctrl-L lists windows, Ctrl-S scrolls back (q ends that), Ctrl-] and one of them\n"
    "sends it to the job. Inside another tmux it opens a window there.\n";

constexpr std::string_view about_start =
    "With a single bare word that names existing jobs, and no option, those that are\n"
    "stopped are started. Otherwise a job is made of CMD, looked up as a shell does;\n"
    "everything after CMD belongs to it. Returns when each copy runs or has failed.\n"
    "In arguments and hooks ~EXIT_STATUS ~JOB_NAME ~HOSTNAME ~RUN_LENGTH ~DEATHS are\n"
    "replaced at each start.\n";

constexpr std::string_view about_console =
    "Commands are typed without the word usvc, with quotes as in a shell; help and\n"
    "notes tell more there. Ctrl-C clears the line or ends the command that runs,\n"
    "never a job. Ctrl-D or exit leaves.\n"
    "What is piped in is read line by line, without a prompt. The first command that\n"
    "fails ends it, with that command's exit status; with --keep-going the others are\n"
    "run too, and the exit status is that of the first that failed.\n";

constexpr std::string_view about_complete =
    "For the completions of shells: the words before and the one being typed. A line\n"
    "for each candidate, a tab and what it is behind it; :files, :directories or\n"
    ":programs where such may stand there too. With --json the same as one object.\n"
    "Starts no instance.\n";

constexpr std::string_view about_save =
    "FILE - is standard output. With --as it is written for another program, and what\n"
    "that cannot be told is named on stderr. systemd: FILE is a directory, which gets\n"
    "NAME.service for each job; on standard output a line # NAME.service is in front\n"
    "of each; variables are written that differ from those of whoever saves.\n"
    "usvc's own has those given with -e and --env-file, and limits that are not the\n"
    "instance's. With --json the answer has file (null: standard output), text (of\n"
    "what would stand there) and remarks.\n";

constexpr std::string_view about_load =
    "FILE - is standard input. Besides sets that usvc saved it takes a Procfile (with\n"
    "the .env beside it), a supervisord ini, an ecosystem file of pm2 (JSON, YAML)\n"
    "and the YAML of process-compose, told by name and content, or by --from; a\n"
    "Procfile by a name with procfile in it, or on standard input. What of them usvc\n"
    "does not do is named on stderr, and what it does instead. Relative paths begin\n"
    "where such a file lies, and of usvc's own sets in the caller's directory. Exit\n"
    "status 1: a job of it was left out, or failed. What a set does not say of umask,\n"
    "niceness and limits is the caller's. With --dry-run --json the answer has the\n"
    "set as text, and remarks.\n";

constexpr std::string_view about_init =
    "Says so if it runs already. With --boot it is also started with the machine from\n"
    "now on: as a systemd user unit where a user manager runs, else by a line in the\n"
    "crontab. As a unit, systemctl --user restart is an upgrade: no job notices.\n"
    "With --foreground (in a container, say, also as its first process) usvc stays,\n"
    "passes on what the instance has to complain about, shuts it down on TERM, INT or\n"
    "QUIT, and exits with 0 when all jobs have stopped as they should.\n";

constexpr std::array<Command, 29> table{{
    {.name = "start",
     .arguments = "CMD [ARG…] | SELECTOR",
     .summary = "make a job and start it; start stopped ones",
     .details = about_start,
     .options = Options::before_words,
     .flags = command::start_flags,
     .run = command::start},
    {.name = "run",
     .arguments = "CMD [ARG…]",
     .summary = "start a job that runs once and stay until it ends",
     .details = "Shows its output; exits with its status, 128+N for signal N. Ctrl-C goes to it,\n"
                "and what is not shown yet is left out; where it dies of that so does run, so\n"
                "that a shell's loop ends.\n"
                "It has a terminal where stdin, stdout and stderr are one, else pipes. A reader\n"
                "of those so slow that old files of the log have gone meanwhile (log-max-size,\n"
                "log-keep) is told what it missed, and the status is 5.\n"
                "With --json all its output goes to stderr, and how it ended to stdout.\n",
     .unlisted = "--once --restart --runaway-protect --no-runaway-protect",
     .whole_screen = true,
     .options = Options::before_words,
     .flags = command::run_flags,
     .run = command::run},
    {.name = "stop",
     .arguments = "SELECTOR…",
     .summary = "stop jobs, and whatever they left running",
     .details = about_stop,
     .run = command::stop},
    {.name = "restart",
     .arguments = "SELECTOR…",
     .summary = "stop jobs, read their confs again, start them",
     .details = about_selectors,
     .flags = command::restart_flags,
     .run = command::restart},
    {.name = "signal",
     .aliases = "kill",
     .arguments = "SELECTOR… SIG",
     .summary = "send a signal to jobs' main processes",
     .details = "SIG is a name (TERM, SIGTERM) or a number, and may come first as -TERM.\n",
     .run = command::signal},
    {.name = "status",
     .aliases = "ls list ps st",
     .section = Section::look,
     .arguments = "[SELECTOR…]",
     .summary = "the machine and the jobs",
     .details = about_selectors,
     .flags = command::status_flags,
     .run = command::status},
    {.name = "top",
     .section = Section::look,
     .arguments = "[SELECTOR…]",
     .summary = "the same live, full screen, with keys to act",
     .details = about_top,
     .unlisted = "--json",
     .whole_screen = true,
     .flags = command::top_flags,
     .run = command::top},
    {.name = "attach",
     .aliases = "a",
     .section = Section::look,
     .arguments = "[JOB]",
     .summary = "a job's terminal, here; all jobs', in tmux",
     .details = about_attach,
     .unlisted = "--json",
     .whole_screen = true,
     .flags = command::attach_flags,
     .run = command::attach},
    {.name = "log",
     .aliases = "logs tail",
     .section = Section::look,
     .arguments = "SELECTOR…",
     .summary = "what jobs wrote (tail: and go on showing it)",
     .details = about_log,
     .pages = true,
     .flags = command::log_flags,
     .run = command::log},
    {.name = "logchunk",
     .section = Section::look,
     .arguments = "RUN-ID",
     .summary = "exactly what one run wrote",
     .details = "The bytes as they are. A RUN-ID is NAME.NUMBER.TAG: see usvc --json events.\n",
     .listed = false,
     .pages = true,
     .run = command::logchunk},
    {.name = "events",
     .section = Section::look,
     .arguments = "[SELECTOR…]",
     .summary = "what happened to jobs, and when",
     .details = about_selectors,
     .flags = command::events_flags,
     .run = command::events},
    {.name = "why",
     .aliases = "describe info",
     .section = Section::look,
     .arguments = "JOB",
     .summary = "the state a job is in, how it got there, what comes next",
     .run = command::why},
    {.name = "jobs",
     .section = Section::look,
     .arguments = "[SELECTOR…]",
     .summary = "names of jobs, one a line",
     .details = about_selectors,
     .listed = false,
     .run = command::jobs},
    {.name = "pidof",
     .section = Section::look,
     .arguments = "SELECTOR…",
     .summary = "process ids of jobs, one a line",
     .details = about_selectors,
     .listed = false,
     .run = command::pidof},
    {.name = "wait",
     .section = Section::look,
     .arguments = "SELECTOR…",
     .summary = "wait until jobs run, stop or exit",
     .details = "ready: running, and for longer than its settle time. Exit status 1: the time is\n"
                "up. With --for exit it is the job's own.\n",
     .listed = false,
     .flags = command::wait_flags,
     .run = command::wait},
    {.name = "conf",
     .section = Section::tend,
     .arguments = "SELECTOR… | JOB KEY [VALUE]",
     .summary = "where confs are; show or set a value",
     .details = "A changed value applies at the job's next start; an empty one removes\n"
                "the key. The keys: man usvc-job.conf.\n",
     .run = command::conf},
    {.name = "clean",
     .aliases = "rm delete",
     .section = Section::tend,
     .arguments = "SELECTOR…",
     .summary = "forget jobs that do not run; their logs go to logs/old",
     .details = about_selectors,
     .run = command::clean},
    {.name = "rotate",
     .section = Section::tend,
     .arguments = "SELECTOR…",
     .summary = "give jobs new logs; the old ones are kept, compressed",
     .details = about_selectors,
     .listed = false,
     .run = command::rotate},
    {.name = "save",
     .section = Section::tend,
     .arguments = "FILE [SELECTOR…]",
     .summary = "write the set of jobs to a file",
     .details = about_save,
     .flags = command::save_flags,
     .run = command::save},
    {.name = "load",
     .section = Section::tend,
     .arguments = "FILE",
     .summary = "make and start the jobs of a saved set",
     .details = about_load,
     .flags = command::load_flags,
     .run = command::load},
    {.name = "console",
     .section = Section::instance,
     .summary = "a prompt for these commands, with history and completion",
     .details = about_console,
     .flags = command::console_flags,
     .run = command::console},
    {.name = "init",
     .section = Section::instance,
     .summary = "start the instance and the jobs that were wanted",
     .details = about_init,
     .flags = command::init_flags,
     .run = command::init},
    {.name = "shutdown",
     .section = Section::instance,
     .summary = "stop all jobs (they stay wanted) and the instance",
     .run = command::shutdown},
    {.name = "upgrade",
     .section = Section::instance,
     .summary = "replace manager and keeper by the installed programs",
     .details = "By those that were installed with the usvc that is called; no job notices. If\n"
                "the new ones do not come up, the old ones go on.\n",
     .run = command::upgrade},
    {.name = "tmux-windows",
     .section = Section::instance,
     .summary = "keep the tmux session's windows in step with the jobs",
     .details = "Started by attach within its tmux, and of no use elsewhere.\n",
     .listed = false,
     .internal = true,
     .run = command::tmux_windows},
    {.name = "doctor",
     .section = Section::instance,
     .summary = "look for what bites sooner or later, and say what mends it",
     .details = "Boot and lingering, limits, disks, modes, jobs in trouble, programs that were\n"
                "replaced. Changes nothing. Exit status 1 when there is trouble; what is merely\n"
                "a hint is none.\n",
     .run = command::doctor},
    {.name = "vars",
     .section = Section::instance,
     .summary = "paths and settings in force",
     .details = "Lines KEY=VALUE. Of them boot is how the instance is started with the machine:\n"
                "systemd, cron or nothing (--json: null).\n",
     .listed = false,
     .run = command::vars},
    {.name = "complete",
     .section = Section::instance,
     .arguments = "WORD…",
     .summary = "what the last WORD of a command line may become",
     .details = about_complete,
     .listed = false,
     .internal = true,
     .options = Options::before_words,
     .flags = command::complete_flags,
     .run = command::complete},
    {.name = "help",
     .section = Section::instance,
     .arguments = "[COMMAND]",
     .summary = "this, or more about a command",
     .listed = false,  // the overview's last line tells of it
     .run = command::help},
}};

}  // namespace

std::span<const Command> command_table() {
  return table;
}

const Command* find_command_named(std::string_view word) {
  for (const auto& command : table) {
    if (command.name == word) return &command;
    const auto aliases = split(command.aliases, ' ');
    if (!word.empty() && std::find(aliases.begin(), aliases.end(), word) != aliases.end()) return &command;
  }
  return nullptr;
}

Error unknown_command(std::string_view word, std::vector<std::string> names) {
  for (const auto& command : table) {
    names.emplace_back(command.name);
    for (const auto alias : split(command.aliases, ' ')) {
      if (!alias.empty()) names.emplace_back(alias);
    }
  }
  const std::string near = nearest(word, names);
  return Error("there is no command '" + printable(word) + "'", ErrorKind::usage)
      .hint(near.empty() ? "usvc help" : "did you mean " + near + "?");
}

std::vector<Flag> common_flags() {
  return {{"--json", 0, "", "results as one JSON document"},
          {"--color", 0, "auto|always|never", "auto: on a terminal"},
          {"--quiet", 'q', "", "say nothing but errors"},
          {"--help", 'h', "", "this"}};
}

std::vector<Flag> leading_flags() {
  auto flags = common_flags();
  flags.push_back({"--home", 0, "DIR", "the instance under DIR (USVC_HOME)"});
  flags.push_back({"--allow-root", 0, "", "work as root too (USVC_ALLOW_ROOT=1)"});
  flags.push_back({"--version", 0, "", "the version"});
  return flags;
}

bool is_listed(const Command& command, const Flag& flag) {
  const auto unlisted = split(command.unlisted, ' ');
  return flag.name.empty() || std::find(unlisted.begin(), unlisted.end(), flag.name) == unlisted.end();
}

std::vector<Flag> listed_flags(const Command& command) {
  auto flags = command.flags == nullptr ? std::vector<Flag>() : command.flags();
  for (const auto& flag : common_flags()) flags.push_back(flag);
  std::erase_if(flags, [&](const Flag& flag) { return !is_listed(command, flag); });
  return flags;
}

Status need_selectors(const Invocation& invocation, std::string_view command) {
  if (!invocation.arguments.words.empty()) return {};
  return fail(Error(std::string(command) + " needs a SELECTOR", ErrorKind::usage)
                  .hint("a job, a group, all, live, dead, 'glob*' or state:STATE"));
}

Status need_no_words(const Invocation& invocation, std::string_view command) {
  const auto& words = invocation.arguments.words;
  if (words.empty()) return {};
  return fail(std::string(command) + " takes no '" + printable(words.front()) + "'", ErrorKind::usage);
}

}  // namespace usvc
