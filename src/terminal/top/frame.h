// The picture of `top`: what stands in each row of the window, computed from model and controls alone.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/display.h"
#include "terminal/top/controls.h"
#include "terminal/top/model.h"

namespace usvc::top {

struct Style {
  Color color = Color::plain;
  bool reverse = false;
  bool operator==(const Style&) const = default;
};

struct Piece {
  std::string text;  // printable; ASCII only where that is the charset
  Style style;
};

struct Row {
  std::vector<Piece> pieces;

  void add(std::string text, Style style = {}) { pieces.push_back({std::move(text), style}); }
  [[nodiscard]] std::string text() const;
};

struct Size {
  std::size_t width = 0;
  std::size_t height = 0;
  bool operator==(const Size&) const = default;
};

// Where the parts of the window are. Rows from the top: the machine, the summary, troubles, titles, jobs, a rule, the
// selected job's output, the keys.
struct Plan {
  bool too_small = false;
  std::size_t troubles = 0;
  std::size_t jobs = 0;
  std::size_t output = 0;  // 0: no rule either
  std::size_t pane = 0;    // rows of a pane, which takes the place of all but the machine, its title and the keys
};
// The jobs take what they need, and their output the rest; with many, it keeps a fifth.
Plan plan_rows(Size size, std::size_t jobs, std::size_t troubles);

// What else is to be seen.
struct Surroundings {
  std::string host;                   // the machine's line
  std::vector<std::string> troubles;  // what is no single job's
  std::string word;                   // about the manager; empty: all is well
  bool word_is_bad = false;
  std::vector<std::string> output;  // the selected job's last lines, plain
};

// One row for each of the window, none wider than it. Moves the model's scroll position.
std::vector<Row> compose(Model& model, const Controls& controls, const Surroundings& around, Size size,
                         Charset charset);

}  // namespace usvc::top
