// A job's terminal at the user's: what the job writes is read from its log, what is typed goes to the manager.
//
// So a viewer that is slow, or stopped, is in nobody's way, and one whose manager is killed goes on showing. One that
// falls far behind skips to what the screen shows now. Around a run's end there are lines of usvc's own, ## like this
// ##.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/watch.h"
#include "job/layout.h"
#include "journal/reader.h"
#include "log/history.h"
#include "shapes/views.h"
#include "terminal/key_filter.h"
#include "terminal/line_ends.h"
#include "terminal/link.h"
#include "terminal/picture.h"
#include "terminal/remarks.h"
#include "terminal/user_terminal.h"

namespace usvc {

struct ViewerSpec {
  Layout layout;
  JobView job;                 // as it is shown; of a new run: name, log, log_offset and run_id are enough
  double since = 0;            // what happened earlier is known to whoever asks
  Keys keys = Keys::attach;    // run: it ends with its run, and shows all of it from its first byte
  FdRef run_over = FdRef(-1);  // of run: can be read when it is, and all it wrote is in the log
  bool read_only = false;
  std::function<bool()> instance_runs;
  std::function<void(int signal)> on_signal;  // of those that else end it
  std::function<void(const std::string& message)> warn;
};

struct ViewEnd {
  enum class Why { left, removed, run_over, signalled };
  Why why = Why::left;
  int signal = 0;
  bool interrupted = false;  // by a key that the user has typed
  std::uint64_t missed = 0;  // bytes of the run that could not be shown
  std::size_t unsent = 0;    // typed, and nobody was there to take it
};

class TerminalViewer {
 public:
  // The user's terminal is as it was when it returns, whichever way.
  static Result<ViewEnd> view(ViewerSpec spec);

 private:
  using Clock = std::chrono::steady_clock;
  struct Placed {
    std::uint64_t at = 0;
    Remark remark;
  };

  TerminalViewer(ViewerSpec spec, std::unique_ptr<UserTerminal> terminal, LogHistory log, Watch watch);
  Result<ViewEnd> run();
  Status begin_watching();
  void begin();
  Status show_first();
  Status repaint();
  void finish(ViewEnd end);
  void fail_with(Error error);
  void end_when_shown();

  void await_change();
  void await_run_over();
  void await_input();
  void await_output();
  void await_signal();
  void look();
  void look_again_later();

  Status follow_journal();
  Status note(const Event& event);
  Status show_new();
  void show_more_later();
  Status skip_backlog();
  Result<bool> show_part();
  Status show_bytes(std::string_view bytes);
  Status show_in_picture(std::string_view bytes);
  void place(const Remark& remark);
  void flush();
  void ask_for_modes(bool was_alternate);
  bool hold(std::string_view bytes, std::uint64_t end);
  void go_on(const TerminalModes& modes);

  void read_keys();
  void take_keys(std::string_view bytes);
  void answer_keys();
  void leave();
  void take_view(const TerminalView& view);
  Status fit();
  [[nodiscard]] WindowSize size_of_job() const;
  void take_signal(int signal);
  void suspend();

  void notice(const std::string& text);
  void say_notices();

  ViewerSpec spec_;
  boost::asio::io_context io_{1};
  std::unique_ptr<UserTerminal> terminal_;
  LogHistory log_;
  Watch watch_;
  JournalReader journal_;
  Remarks remarks_;
  KeyFilter keys_;
  LineEnds ends_;
  TerminalLink link_;
  boost::asio::posix::stream_descriptor changes_;
  boost::asio::posix::stream_descriptor over_;
  boost::asio::posix::stream_descriptor input_;
  boost::asio::posix::stream_descriptor output_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer look_timer_;
  boost::asio::steady_timer begin_timer_;
  boost::asio::steady_timer stall_timer_;
  boost::asio::steady_timer leave_timer_;
  boost::asio::steady_timer repaint_timer_;
  boost::asio::steady_timer hold_timer_;

  std::unique_ptr<ScreenPicture> picture_;  // Replay::picture
  WindowSize pictured_;                     // the job's terminal, as it was then
  // How far it was shown when the job's terminal was heard to have another size, until that is made up for.
  std::optional<std::uint64_t> resized_at_;
  bool whole_ = true;  // nothing was missing of what was painted last
  bool begun_ = false;
  bool size_told_ = false;
  std::uint64_t position_ = 0;  // in the log: shown up to there
  std::uint64_t run_begin_ = 0;
  // What is shown next waits for the settings that it was written under; and what came before they were asked for.
  bool held_ = false;
  std::uint64_t held_end_ = 0;
  std::vector<Placed> found_;  // of the journal, since it was looked at last
  std::deque<Placed> placed_;
  bool run_over_ = false;
  std::uint64_t missed_ = 0;
  std::string out_;  // for the terminal, and not taken by it yet
  bool awaits_output_ = false;
  bool awaits_input_ = false;
  bool shows_more_ = false;   // what is left of it has its turn after keys and signals
  bool interrupted_ = false;  // the user has typed a key that ends programs
  bool dropping_ = false;     // and not all that came until then, and since then, has been shown or left out
  bool stalled_ = false;      // what is typed finds no reader
  bool leaving_ = false;
  std::deque<std::string> notices_;
  std::optional<Clock::time_point> answered_at_;
  std::optional<TerminalView> last_view_;
  std::int64_t trusted_ask_ = 0;
  Clock::time_point asked_at_;
  std::optional<ViewEnd> ending_;
  std::optional<Error> error_;
};

}  // namespace usvc
