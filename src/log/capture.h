// Moves the jobs' output from their pipes and terminals into their logs, in a thread of its own so that a flooding job
// never holds up the manager and a busy manager never holds up a job. How no byte is lost: base/transfer.h.
//
// It is lazy: output that comes after a pause is moved at once (a line typed must be seen), but after a small batch it
// naps for a millisecond so that lines pile up and move together. The pipe of a job that keeps filling it is grown.
// A log that can't be written (a full disk) makes its job's output wait in the pipe; it is tried again every second.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/transfer.h"

namespace usvc {

// The output of one run. Output and log are borrowed: their owner keeps them open until `drained` has been called.
struct CaptureSource {
  std::string id;   // of the run
  std::string job;  // runs of one job share a log: the older one's output goes first
  bool terminal = false;
  FdRef output = FdRef(-1);  // non-blocking
  FdRef log = FdRef(-1);
  FdRef error_output = FdRef(-1);  // none (-1) unless stderr is kept apart
  FdRef error_log = FdRef(-1);
  Fd carry_read;  // a carry pipe of the run's own, left behind by an earlier full disk
  Fd carry_write;
};

// Called in the capture's thread; must not block.
struct CaptureEvents {
  std::function<void(const std::string& id, std::uint64_t log_end)> drained;
  std::function<void(const std::string& id, int error)> stuck;  // errno; 0: the log takes output again
  // The shared carry pipe is stuck with this run's bytes and becomes its own; `fresh` is to replace it. Terminals wait
  // until carry_replaced() says that the keeper holds both.
  std::function<void(const std::string& id, Carry stuck, Carry fresh)> carry_lost;
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

 private:
  using Clock = std::chrono::steady_clock;
  struct Source : CaptureSource {
    bool watched = false;
    bool blocked = false;  // an older run of the same job has output left
    bool draining = false;
    bool output_ended = false;
    bool error_ended = true;
    bool stuck = false;
    int full_batches = 0;  // how often the pipe was found full
  };
  struct Command {
    enum class Kind { add, drain, carry_replaced, stop } kind = Kind::stop;
    std::optional<CaptureSource> source;
    std::string id;
  };

  Capture(Carry shared, CarryOwner owner, CaptureEvents events);
  void send(Command command);
  void loop();
  bool take_commands();
  void begin(CaptureSource source);
  void watch(Source& source, std::uint64_t number);
  std::size_t serve(std::uint64_t number);
  [[nodiscard]] bool waits_for_carry(const Source& source) const;
  void serve_draining();
  Transfer move_output(Source& source);
  Transfer move_terminal(Source& source);
  Transfer move_stream(Source& source, FdRef pipe, FdRef log, bool& ended);
  void grow_if_chatty(Source& source, FdRef pipe, std::size_t bytes);
  void give_carry_away(Source& source);
  void settle_carry();
  void set_stuck(Source& source, int error);
  void finish(std::uint64_t number);
  void retry_stuck();
  [[nodiscard]] int timeout_ms() const;

  Carry shared_;
  CarryOwner owner_;
  CaptureEvents events_;
  Fd poll_;
  Fd wake_;
  bool carry_in_exchange_ = false;
  std::map<std::uint64_t, Source> sources_;  // by number, the order of their adding
  std::unordered_map<std::string, std::uint64_t> by_id_;
  std::unordered_map<std::string, std::vector<std::uint64_t>> by_job_;  // in the order of their adding
  std::uint64_t next_number_ = 1;
  std::size_t stuck_count_ = 0;
  Clock::time_point retry_at_{};

  std::mutex mutex_;  // guards commands_
  std::vector<Command> commands_;
  std::thread thread_;
};

}  // namespace usvc
