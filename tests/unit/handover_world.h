// The world of one job as the explorer of handover_model.h sees it: small enough that hundreds of thousands of them
// are compared byte by byte.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "job/state.h"
#include "job/step.h"

namespace usvc::handover {

using Byte = std::uint8_t;

// An enumerator in one byte.
template <class E>
class Small {
 public:
  constexpr Small() = default;
  constexpr Small(E value) : value_(static_cast<Byte>(value)) {}   // NOLINT: stands for it everywhere
  constexpr operator E() const { return static_cast<E>(value_); }  // NOLINT

 private:
  Byte value_ = 0;
};

// A 16-bit number that needs no alignment: a world has no padding.
class Number {
 public:
  constexpr Number() = default;
  constexpr Number(std::uint16_t value)  // NOLINT: stands for it everywhere
      : low_(static_cast<Byte>(value & 0xFFU)), high_(static_cast<Byte>(value >> 8U)) {}
  constexpr operator std::uint16_t() const { return static_cast<std::uint16_t>(low_ | high_ << 8U); }  // NOLINT

 private:
  Byte low_ = 0;
  Byte high_ = 0;
};

// A vector without a heap; what is not in use is zero, so that equal lists are equal bytes.
template <class T, std::size_t capacity>
class List {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  T* begin() { return slots_.data(); }
  T* end() { return slots_.data() + size_; }
  const T* begin() const { return slots_.data(); }
  const T* end() const { return slots_.data() + size_; }
  T& operator[](std::size_t i) { return slots_.at(i); }

  void push(T value) {
    if (size_ == capacity) throw std::length_error("the model's world is too small: enlarge the list");
    slots_.at(size_++) = value;
  }
  void erase(std::size_t i) {
    std::copy(begin() + i + 1, end(), begin() + i);
    slots_.at(--size_) = T();
  }
  T pop() {
    const T first = slots_.front();
    erase(0);
    return first;
  }
  template <class Predicate>
  T* find(Predicate predicate) {
    T* const found = std::find_if(begin(), end(), predicate);
    return found == end() ? nullptr : found;
  }
  template <class Predicate>
  const T* find(Predicate predicate) const {
    const T* const found = std::find_if(begin(), end(), predicate);
    return found == end() ? nullptr : found;
  }
  template <class Predicate>
  void erase_if(Predicate predicate) {
    for (std::size_t i = size_; i > 0; --i) {
      if (predicate(slots_.at(i - 1))) erase(i - 1);
    }
  }
  void clear() { *this = List(); }

 private:
  std::array<T, capacity> slots_{};
  Byte size_ = 0;
};

enum class Being : Byte { unborn, running, zombie };  // unborn: forked, waits for the go byte

struct Process {
  Byte pid = 0;
  Byte run = 0;
  Small<Phase> phase;
  Small<Being> being = Being::unborn;
  bool go = false;      // the byte is in its socket
  bool heard = false;   // the manager that had it made lives and has its end of that socket open
  bool child = false;   // of the present keeper; else of init
  bool doomed = false;  // a signal that ends it is on its way
  bool execed = false;
  bool failed = false;  // it ended badly
};

// What the keeper holds.
struct Item {
  Byte run = 0;
  Small<Phase> phase;
  Byte pid = 0;
  bool child = false;
  bool ended = false;
  bool failed = false;
};

enum class Kind : Byte { spawn, hold, drop, spawned, exited };

struct Message {
  Small<Kind> kind;
  Byte run = 0;
  Small<Phase> phase;
  Byte pid = 0;
  bool failed = false;
};

// A run as the manager has it in hand; pid 0: none.
struct Held {
  Byte pid = 0;
  Byte run = 0;
  Small<Phase> phase;
  bool child = false;
  bool ended = false;
  bool known = false;  // how it ended
  bool failed = false;
};

// Where the job's life (manager/life) is. Each of these steps shows at most one thing to the outside: a line of the
// journal, a message, a signal; so a kill can come between any two.
enum class At : Byte {
  meeting,  // the manager has been started and has not been told everything yet
  rest,
  ask_for_process,
  await_process,
  note_spawned,
  let_go,
  await_program,
  attend,
  send_stop,
  drop_hook,
  bury,
  decide,
  follow_launch,
  sweep_lost,
  note_lost,
  sweep_and_decide,
};

constexpr std::string_view to_string(At at) {
  constexpr std::array<std::string_view, 16> names = {
      "meets the keeper",   "rests",           "asks for a process",       "awaits a process",
      "journals `spawned`", "lets it go",      "awaits the program",       "attends",
      "sends the signal",   "drops the hook",  "buries the run",           "decides",
      "follows a launch",   "sweeps the lost", "journals a lost `exited`", "sweeps before it decides"};
  return names.at(static_cast<std::size_t>(at));
}

inline constexpr std::size_t most_runs = 8;

struct World {
  Number record;  // the folded journal: Journal's number for it

  // What there is.
  List<Process, 8> processes;
  bool keeper = false;
  List<Item, 6> items;
  List<Message, 8> to_keeper;   // what a dead manager said still counts
  List<Message, 8> to_manager;  // and so does what a dead keeper said, as long as its manager lives

  // What the manager has in mind, gone with it.
  bool manager = false;
  bool connected = false;  // it has not noticed that its keeper is gone
  Small<At> at;
  Small<JobState> state;
  Small<Phase> stage;  // the part of the loop it is in
  Held run;
  List<Held, 4> leftovers;
  List<Small<JobEvent>, 5> events;
  Byte launched = 0;  // the pid that `spawned` told
  bool launch_ended = false;
  bool launch_failed = false;
  bool same_keeper = false;  // as when the process was asked for
  bool never_began = false;
  Byte to_hand_over = 0;  // runs that the next keeper has yet to be given

  // The ledger.
  std::array<Byte, most_runs> let_go{};  // a bit for each phase
  std::array<Byte, most_runs> exits{};   // `exited` lines
  Byte passed = 0;                       // a bit for each run: its pre-run hook ended well
  Byte unknown = 0;                      // its `exited` line says no status
  Byte orphaned = 0;                     // its keeper was killed before its end was in the journal
  bool stop_open = false;                // a client waits for the answer to its stop
  bool stop_told = false;                // it has reached the manager that lives
  Byte stop_run = 0;                     // the job's last run when it did
  bool stop_acknowledged = false;        // and nobody has asked for a start since
  bool stopped_once = false;

  // What may still happen.
  Byte kills = 0;
  Byte ends = 0;
  Byte stops = 0;
  Byte starts = 0;

  friend bool operator==(const World& a, const World& b) { return a.bytes() == b.bytes(); }
  [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
};
static_assert(std::has_unique_object_representations_v<World>);

}  // namespace usvc::handover
