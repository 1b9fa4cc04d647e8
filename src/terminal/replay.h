// The recent screen of a job, from the end of its log: what a viewer is shown first, and after it has fallen behind.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/window_size.h"
#include "log/history.h"
#include "shapes/terminal.h"
#include "terminal/picture.h"
#include "terminal/screen_modes.h"

namespace usvc {

struct ReplaySpec {
  std::uint64_t begin = 0;  // from where on the log counts: of the live run
  ScreenParser screen;      // as it is there
  WindowSize terminal;      // the job's
  WindowSize window;        // the viewer's
  TerminalModes modes;      // the terminal's
  // Where the job's terminal got its size, if that is news: the log's index may not tell of it yet.
  std::optional<std::uint64_t> resized_at;
};

struct Replay {
  std::uint64_t end = 0;  // where the log goes on
  // Of a full-screen program whose terminal and window differ: what it writes goes there, and its changes are painted.
  // None: what it writes can be passed on as it is.
  std::unique_ptr<ScreenPicture> picture;
  std::string paint;    // for a terminal whose main screen is in use, and cleared
  ScreenParser screen;  // as it is then
  bool at_line_start = true;
  bool whole = true;  // nothing is missing; else the program should draw it anew
};

Result<Replay> replay_log(LogHistory& log, const ReplaySpec& spec);

}  // namespace usvc
