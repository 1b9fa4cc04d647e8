// The command `top` at work: brings keys, signals, time, news of the jobs and ended commands together on the screen.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/context.h"
#include "cli/interrupt.h"
#include "cli/top/feed.h"
#include "cli/top/meter.h"
#include "cli/top/tasks.h"
#include "terminal/top/controls.h"
#include "terminal/top/frame.h"
#include "terminal/top/model.h"
#include "terminal/top/screen.h"

namespace usvc {

// The end of a log, read again only when it has changed.
class OutputTail {
 public:
  // The last lines, plain; true: they are others than before.
  bool read(const Layout& layout, const std::string& log, std::size_t lines);
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::string seen_;  // which file, how large, written when, and how many lines of it
  std::vector<std::string> lines_;
};

class TopSession {
 public:
  struct Options {
    std::vector<std::string> selectors;
    std::chrono::nanoseconds interval = std::chrono::seconds(1);
  };
  // `context` outlives it.
  TopSession(const Context& context, Options options);

  // Until it is left. `first` is what is shown at once.
  Result<int> run(JobsReply first);

 private:
  using Clock = std::chrono::steady_clock;

  Status wait();
  void tick();
  void draw();
  void take_keys(short events);
  void take_signals();
  void take_news();
  void take_tasks();
  void suspend();
  void act(const top::Request& request);
  void operate(const top::Request& request);
  void show_text(const top::Request& request);
  void told(const TaskEnd& end);
  void in_front(const std::vector<std::string>& words, bool always_wait);
  void wait_for_child(const ChildProgram& child, int& status);
  void wait_for_key(const std::string& why);
  void read_output();
  [[nodiscard]] std::string manager_word();
  [[nodiscard]] bool log_fits(const std::string& name);

  const Context* context_;
  Options options_;
  top::Model model_;
  top::Controls controls_{model_};
  top::Surroundings around_;
  Meter meter_;
  OutputTail output_;
  Tasks tasks_;
  std::optional<Interrupt> signals_;
  std::unique_ptr<Feed> feed_;
  std::optional<top::Screen> screen_;  // last: it is given back before the thread is waited for

  top::Size size_;
  Clock::time_point next_tick_;
  std::uint64_t ticks_ = 0;
  bool leaving_ = false;
  Reach reach_ = Reach::answers;
  std::string why_;
  std::optional<std::int64_t> new_manager_;
  Clock::time_point replaced_at_;
};

}  // namespace usvc
