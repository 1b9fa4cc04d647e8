// The modes of probe, a program that misbehaves on request. It links nothing and depends on nothing of usvc.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace probe {

// The words of one mode, its name left off.
using Words = std::span<char* const>;

[[noreturn]] void die(std::string_view what);  // exit 125: the probe itself was used wrongly or could not do it
void say(std::string_view line);               // one line on stdout, in one write
long number(Words words, std::size_t index, long absent);  // the word as a number, or `absent`
int signal_by_name(std::string_view name);                 // "TERM", "SIGTERM", "15"
std::string json_quoted(std::string_view text);
void nap(long milliseconds);
[[noreturn]] void serve();
// Runs modes separated by "--", the last of which may never return.
void run_modes(Words words);

// report.cpp
void report();

// ledger.cpp
void begin(Words words);
void number_lines(Words words);

// tree.cpp
void fork_daemon(Words words);
void make_child(Words words, bool own_session);
void hold_tty();

}  // namespace probe
