// A job's terminal as those who look at it share it: its size, its settings, what is typed into it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "manager/instance.h"
#include "manager/job.h"
#include "shapes/terminal.h"

namespace usvc {

// Nothing: no window is like that.
std::optional<WindowSize> window_from(std::optional<std::int64_t> rows, std::optional<std::int64_t> columns);

TerminalView terminal_view(Instance& instance, const Job& job);

// The size of whoever typed last rules, and until somebody types that of who came last. Viewers that may not type
// never do.
void viewer_comes(Instance& instance, Job& job, Viewer& viewer, WindowSize size, bool again);
void viewer_resizes(Instance& instance, Job& job, Viewer& viewer, WindowSize size);
// True: the window has changed by it, and its program is to have a moment to take that in before it is given a key.
bool viewer_types(Instance& instance, Job& job, Viewer& viewer);
void viewer_leaves(Instance& instance, Job& job, Viewer& viewer);

// How much of it was written, 0 when the program does not read its terminal; nothing: there is no program to type to.
std::optional<std::size_t> type_into(const Job& job, std::string_view bytes);

// Has a full-screen program draw its screen anew: its window is a row smaller for a moment.
asio::awaitable<void> have_redrawn(Instance* instance, std::shared_ptr<Job> job);

}  // namespace usvc
