// Moves the jobs' output from their pipes and terminals into their logs, in a thread of its own so that a flooding job
// never holds up the manager and a busy manager never holds up a job. How no byte is lost: base/transfer.h.
//
// It is lazy: output that comes after a pause is moved at once (a line typed must be seen), but then it naps so that
// lines pile up and move together (log/nap.h). The pipe of a job that keeps filling it is grown.
// A log that can't be written (a full disk) makes its job's output wait in the pipe; it is tried again every second.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/transfer.h"
#include "log/live_log.h"
#include "log/nap.h"

namespace usvc {

// The output of one run. Output and log are borrowed: their owner keeps them open until `drained` has been called.
struct CapturedRun {
  std::string id;   // of the run
  std::string job;  // runs of one job share a log: the older one's output goes first
  bool terminal = false;
  FdRef output = FdRef(-1);  // non-blocking
  FdRef log = FdRef(-1);
  FdRef error_output = FdRef(-1);  // none (-1) unless stderr is kept apart
  FdRef error_log = FdRef(-1);
  std::uint32_t run = 0;  // what the indexes call it
  std::uint32_t nonce = 0;
  Fd carry_read;  // a carry pipe of the run's own, left behind by an earlier full disk
  Fd carry_write;
};
struct CaptureSource : CapturedRun {
  LogPlace place;
  LogPlace error_place;
  // Where it began to write, when that was before now.
  std::optional<RunStart> began;
  std::optional<RunStart> error_began;
};

// A log that is to have a new file: all who write to it wait until relog() or go_on(). `captured`: there are such.
struct Rotation {
  std::string path;
  Due due = Due::no;
  std::uint64_t next_position = 0;  // of what will be written next
  bool captured = false;
};

// A run's new descriptor for that log; borrowed like the one before.
struct Relogged {
  std::string id;
  FdRef log;
};

// Called in the capture's thread; must not block.
struct CaptureEvents {
  std::function<void(const std::string& id, std::uint64_t log_end)> drained;
  std::function<void(const std::string& id, int error)> stuck;  // errno; 0: the log takes output again
  // The shared carry pipe is stuck with this run's bytes and becomes its own; `fresh` is to replace it. Terminals wait
  // until carry_replaced() says that the keeper holds both.
  std::function<void(const std::string& id, Carry stuck, Carry fresh)> carry_lost;
  std::function<void(const Rotation& rotation)> rotate;
  // A log is written without an index.
  std::function<void(const std::string& path, const std::string& why)> unindexed;
};

class Capture {
 public:
  // `shared` and `owner` as held by the keeper. Bytes that a killed manager left in the carry pipe go first, once their
  // run's source has been added; so add every known source before run().
  static Result<std::unique_ptr<Capture>> create(Carry shared, CarryOwner owner, CaptureEvents events);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void run();  // starts the thread
  void add(CaptureSource source);
  // The run has ended and nothing can write any more: what is left is moved, then `drained` is called. Where the log is
  // stuck that may be much later.
  void drain(const std::string& id);
  void carry_replaced();
  // The run's terminal is about to get another size; its log's index says where that was.
  void resized(const std::string& id);
  // Has this log rotated at the end of a line that waits now, or where it stands. Answered by the event.
  void rotate(const std::string& path);
  // The log's new file. All runs that write to it must be named; their old descriptors are given up and close here.
  void relog(const std::string& path, std::vector<Relogged> runs, std::vector<Fd> old, std::uint64_t next_position);
  // There is none: it goes on in the old one, and 1 MB later it is asked again.
  void go_on(const std::string& path);

 private:
  using Clock = std::chrono::steady_clock;
  // A pipe, as it was born; grown pipes that were taken over count as such at first.
  struct Buffer {
    std::size_t capacity = std::size_t{64} << 10U;
    unsigned full_batches = 0;  // how often it was found half full; may begin anew
  };
  struct Source : CapturedRun {
    std::shared_ptr<LiveLog> live;  // of those that write to the same file
    std::shared_ptr<LiveLog> error_live;
    bool watched = false;
    bool blocked = false;  // an older run of the same job has output left
    bool draining = false;
    bool output_ended = false;
    bool error_ended = true;
    bool stuck = false;
    Buffer buffer;
    Buffer error_buffer;

    [[nodiscard]] bool paused() const { return live->paused || (error_live && error_live->paused); }
    [[nodiscard]] bool writes_to(const LiveLog& file) const { return live.get() == &file || error_live.get() == &file; }
  };
  // Of the runs of one job the oldest writes first. Those that an earlier manager had begun are added in any order.
  struct Turn {
    std::string_view job;  // in the source
    std::uint32_t run = 0;
    std::uint64_t number = 0;
    auto operator<=>(const Turn&) const = default;
  };
  struct Command {
    enum class Kind { add, drain, carry_replaced, resized, rotate, relog, go_on, stop } kind = Kind::stop;
    std::optional<CaptureSource> source = {};
    std::string id = {};  // of a run; or a log's path
    std::vector<Relogged> relogged = {};
    std::vector<Fd> old = {};
    std::uint64_t next_position = 0;
  };

  Capture(Carry shared, CarryOwner owner, CaptureEvents events);
  void send(Command command);
  void loop();
  bool take_commands();
  void obey(Command command);
  void begin(CaptureSource source);
  static Turn turn_of(const Source& source, std::uint64_t number);
  std::shared_ptr<LiveLog> live_log(const LogPlace& place, FdRef log, const std::optional<RunStart>& began);
  [[nodiscard]] std::shared_ptr<LiveLog> known_log(const std::string& path) const;
  void watch(Source& source, std::uint64_t number);
  void unwatch(const Source& source);
  void serve(std::uint64_t number);
  [[nodiscard]] bool waits_for_carry(const Source& source) const;
  void serve_draining();
  Transfer move_output(Source& source);
  Transfer move_terminal(Source& source);
  Transfer move_stream(const Source& source, FdRef pipe, FdRef log, LiveLog& live, Buffer& buffer, bool& ended);
  Transfer move_some(Source& source, FdRef carry_read, FdRef carry_write);
  void wrote(const Source& source, LiveLog& live, FdRef log, const Transfer& step, bool line_moved);
  [[nodiscard]] std::vector<std::uint64_t> writers_to(const LiveLog& live) const;
  void pause(LiveLog& live, Due due);
  void rotate_asked(const std::string& path);
  void take_relog(Command& command);
  void go_on_with(LiveLog& live);
  static void grow_if_chatty(Buffer& buffer, FdRef pipe);
  void give_carry_away(Source& source);
  void settle_carry();
  void end_waiting_for_carry();
  void set_stuck(Source& source, int error);
  void finish(std::uint64_t number);
  void retry_stuck();
  [[nodiscard]] int timeout_ms() const;

  Carry shared_;
  CarryOwner owner_;
  CaptureEvents events_;
  std::optional<LineMover> line_mover_;
  Fd poll_;
  Fd wake_;
  bool carry_in_exchange_ = false;
  bool carry_awaited_ = false;                                 // by terminals that are not watched meanwhile
  std::map<std::uint64_t, Source> sources_;                    // by number, the order of their adding
  std::unordered_map<std::string_view, std::uint64_t> by_id_;  // keys in the sources
  std::set<Turn> turns_;
  std::unordered_map<std::string, std::weak_ptr<LiveLog>> logs_;  // by path
  std::uint64_t next_number_ = 1;
  std::size_t stuck_count_ = 0;
  Clock::time_point retry_at_{};
  Nap nap_;

  std::mutex mutex_;  // guards commands_
  std::vector<Command> commands_;
  std::thread thread_;
};

}  // namespace usvc
