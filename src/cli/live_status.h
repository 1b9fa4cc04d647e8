// The table of `status`, kept up to date for a picture on a terminal. It is asked for by a usvc of its own, so that
// whoever waits for keys never waits for a manager.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/program.h"
#include "cli/context.h"
#include "shapes/views.h"

namespace usvc {

class LiveStatus {
 public:
  using Clock = std::chrono::steady_clock;

  explicit LiveStatus(const Context& context) : context_(&context) {}
  ~LiveStatus();
  LiveStatus(const LiveStatus&) = delete;
  LiveStatus& operator=(const LiveStatus&) = delete;

  // When tick() is to be called next; before that when fd() can be read.
  [[nodiscard]] Clock::time_point next() const { return next_; }
  [[nodiscard]] FdRef fd() const { return answer_; }  // -1: no question is under way
  // Asks, or takes what is there of an answer. True: lines() may be others now.
  bool tick();
  // Something was done: what was seen is old.
  void expire() { next_ = Clock::now(); }

  // For a terminal of that width, at most so many lines.
  [[nodiscard]] std::vector<std::string> lines(std::size_t columns, std::size_t most) const;

 private:
  bool ask();
  bool take();
  void read_answer();
  [[nodiscard]] bool nothing_new() const;

  const Context* context_;
  Clock::time_point next_ = Clock::now();
  Clock::time_point asked_;
  bool ran_ = false;   // an instance, when it was last asked
  bool late_ = false;  // the answer
  std::optional<ChildProgram> child_;
  Fd answer_;
  std::string text_;
  std::optional<StatusView> view_;
  double seen_at_ = 0;
  std::string trouble_;
};

// The lines of such a picture. Where not all jobs fit, those in trouble come first, and the last line says how many
// there are more.
std::vector<std::string> status_picture(const StatusView& view, double now, const Terminal& terminal, std::size_t most);

}  // namespace usvc
