// What viewer and manager tell each other over a terminal's WebSocket, GET /v1/jobs/NAME/terminal[?read-only=1].
//
// Binary frames to the manager are what was typed. Text frames are JSON, a ViewerMessage one way and a TerminalView
// the other. What the job writes does not come this way: viewers read its log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "shapes/json.h"

namespace usvc {

inline constexpr std::size_t largest_terminal_frame = std::size_t{64} << 10U;

struct ViewerMessage {
  std::optional<std::int64_t> rows;  // the size of the viewer's window
  std::optional<std::int64_t> columns;
  std::optional<bool> again;        // with a size: it has been here before, and takes no precedence by coming back
  std::optional<bool> redraw;       // have the program draw its screen anew
  std::optional<std::int64_t> ask;  // for a TerminalView with this number in `asked`
};
BOOST_DESCRIBE_STRUCT(ViewerMessage, (), (rows, columns, again, redraw, ask))

// The terminal's settings that concern whoever looks or types; as termios(3) calls them.
struct TerminalModes {
  bool opost = true;
  bool onlcr = false;
  bool icanon = true;
  bool isig = true;
  bool operator==(const TerminalModes&) const = default;
};
BOOST_DESCRIBE_STRUCT(TerminalModes, (), (opost, onlcr, icanon, isig))

// Sent at the beginning, when something of it has changed, and in answer to what was typed or asked.
struct TerminalView {
  std::string name;
  std::string state;
  bool tty = true;                    // of the live run, else as the next will have it
  std::optional<std::string> run_id;  // of the live run, if there is a program to type to
  std::optional<std::string> pts;     // its terminal, /dev/pts/N
  std::int64_t rows = 24;
  std::int64_t columns = 80;
  std::optional<TerminalModes> modes;
  std::int64_t taken = 0;  // bytes typed over this connection that are done with: written, or nobody was there for them
  std::int64_t asked = 0;
  bool removed = false;  // the job has been cleaned
};
BOOST_DESCRIBE_STRUCT(TerminalView, (), (name, state, tty, run_id, pts, rows, columns, modes, taken, asked, removed))

}  // namespace usvc
