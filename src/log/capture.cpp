#include "log/capture.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <limits>
#include <system_error>
#include <utility>

#include "base/fault_point.h"

namespace usvc {

namespace {

constexpr std::uint64_t wake_number = 0;
// Of one run in one round: large enough for speed, small enough that 200 flooding jobs are served in turn.
constexpr std::size_t round_limit = std::size_t{1} << 20U;
constexpr std::size_t grown_pipe = std::size_t{1} << 20U;
// Half of what the kernel takes: it hands out a page at a time, and while that goes on the program must not have to
// stop.
constexpr std::size_t terminal_capacity = std::size_t{32} << 10U;
constexpr std::size_t most_drained = std::size_t{8} << 20U;
constexpr auto retry_every = std::chrono::seconds(1);

}  // namespace

Capture::Capture(Carry shared, CarryOwner owner, CaptureEvents events)
    : shared_(std::move(shared)), owner_(std::move(owner)), events_(std::move(events)) {}

Result<std::unique_ptr<Capture>> Capture::create(Carry shared, CarryOwner owner, CaptureEvents events) {
  // NOLINTNEXTLINE: the constructor is private
  std::unique_ptr<Capture> capture(new Capture(std::move(shared), std::move(owner), std::move(events)));
  auto line_mover = LineMover::create();
  if (!line_mover) return pass(line_mover, "cannot set up the capture of output");
  capture->line_mover_.emplace(std::move(*line_mover));
  capture->poll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  capture->wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!capture->poll_ || !capture->wake_) return fail(Error::last("cannot set up the capture of output"));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_number;
  if (::epoll_ctl(capture->poll_.get(), EPOLL_CTL_ADD, capture->wake_.get(), &event) != 0) {
    return fail(Error::last("cannot set up the capture of output"));
  }
  return capture;
}

Capture::~Capture() {
  if (!thread_.joinable()) return;
  send({.kind = Command::Kind::stop});
  thread_.join();
}

void Capture::run() {
  thread_ = std::thread([this] { loop(); });
}

void Capture::add(CaptureSource source) {
  send({.kind = Command::Kind::add, .source = std::move(source)});
}
void Capture::drain(const std::string& id) {
  send({.kind = Command::Kind::drain, .id = id});
}
void Capture::carry_replaced() {
  send({.kind = Command::Kind::carry_replaced});
}
void Capture::resized(const std::string& id) {
  send({.kind = Command::Kind::resized, .id = id});
}
void Capture::rotate(const std::string& path) {
  send({.kind = Command::Kind::rotate, .id = path});
}
void Capture::relog(const std::string& path, std::vector<Relogged> runs, std::vector<Fd> old,
                    std::uint64_t next_position) {
  send({.kind = Command::Kind::relog,
        .id = path,
        .relogged = std::move(runs),
        .old = std::move(old),
        .next_position = next_position});
}
void Capture::go_on(const std::string& path) {
  send({.kind = Command::Kind::go_on, .id = path});
}

void Capture::send(Command command) {
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
  }
  const std::uint64_t one = 1;
  // Can only fail when the counter is at its end, and then the thread is awake anyway.
  (void)!::write(wake_.get(), &one, sizeof one);
}

void Capture::loop() {
  std::array<epoll_event, 128> events{};
  bool at_once = false;
  for (;;) {
    const int count = ::epoll_wait(poll_.get(), events.data(), events.size(), at_once ? 0 : timeout_ms());
    at_once = false;
    bool commanded = false;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = events.at(static_cast<std::size_t>(i)).data.u64;
      if (number == wake_number)
        commanded = true;
      else
        serve(number);
    }
    if (stuck_count_ > 0 && Clock::now() >= retry_at_) retry_stuck();
    if (commanded && !take_commands()) return;
    end_waiting_for_carry();
    const Nap::Length length = nap_.next();
    if (length > Nap::Length::zero() && !commanded) {
      pollfd wake{.fd = wake_.get(), .events = POLLIN, .revents = 0};
      const timespec nap{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(length).count()};
      (void)::ppoll(&wake, 1, &nap, nullptr);
      at_once = true;
    }
  }
}

int Capture::timeout_ms() const {
  constexpr int look_again_ms = 1000;
  if (stuck_count_ == 0) return carry_awaited_ ? look_again_ms : -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(retry_at_ - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

// False: it is time to stop.
bool Capture::take_commands() {
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
  std::vector<Command> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
  }
  const std::uint64_t first_new = next_number_;
  for (auto& command : commands) {
    if (command.kind == Command::Kind::stop) return false;
    obey(std::move(command));
  }
  settle_carry();
  // What waits in a carry pipe of their own wakes nobody. Only now is it known which run of a job is the older one.
  for (std::uint64_t number = first_new; number < next_number_; ++number) {
    const auto found = sources_.find(number);
    if (found != sources_.end() && found->second.carry_read) serve(number);
  }
  return true;
}

void Capture::obey(Command command) {
  switch (command.kind) {
    case Command::Kind::stop:
      return;
    case Command::Kind::add:
      return begin(std::move(*command.source));
    case Command::Kind::carry_replaced:
      carry_in_exchange_ = false;
      return;
    case Command::Kind::drain:
      if (const auto found = by_id_.find(command.id); found != by_id_.end()) {
        sources_.at(found->second).draining = true;
        serve(found->second);
      } else {
        events_.drained(command.id, 0);
      }
      return;
    // What waits to be moved is counted as later: that may be the program's answer, a line or two too much are no harm.
    case Command::Kind::resized:
      if (const auto found = by_id_.find(command.id); found != by_id_.end()) sources_.at(found->second).live->resized();
      return;
    case Command::Kind::rotate:
      return rotate_asked(command.id);
    case Command::Kind::relog:
      return take_relog(command);
    case Command::Kind::go_on:
      if (const auto live = known_log(command.id)) {
        live->go_on();
        go_on_with(*live);
      }
      return;
  }
}

void Capture::begin(CaptureSource added) {
  const std::uint64_t number = next_number_++;
  Source source;
  static_cast<CapturedRun&>(source) = std::move(static_cast<CapturedRun&>(added));
  source.error_ended = source.error_output.get() < 0;
  source.live = live_log(added.place, source.log, added.began);
  if (!source.error_ended) source.error_live = live_log(added.error_place, source.error_log, added.error_began);
  auto& placed = sources_.emplace(number, std::move(source)).first->second;
  by_id_[placed.id] = number;
  const auto turn = turns_.insert(turn_of(placed, number)).first;
  placed.blocked = turn != turns_.begin() && std::prev(turn)->job == placed.job;
  if (placed.blocked) return;
  if (const auto later = std::next(turn); later != turns_.end() && later->job == placed.job) {
    Source& next = sources_.at(later->number);
    next.blocked = true;
    unwatch(next);
  }
  watch(placed, number);
}

Capture::Turn Capture::turn_of(const Source& source, std::uint64_t number) {
  // One without a number comes last.
  return {source.job, source.run != 0 ? source.run : std::numeric_limits<std::uint32_t>::max(), number};
}

std::shared_ptr<LiveLog> Capture::live_log(const LogPlace& place, FdRef log, const std::optional<RunStart>& began) {
  if (place.path.empty()) return std::make_shared<LiveLog>(place, log);
  if (logs_.size() > 2 * sources_.size() + 16) std::erase_if(logs_, [](auto& entry) { return entry.second.expired(); });
  std::weak_ptr<LiveLog>& known = logs_[place.path];
  auto live = known.lock();
  if (live) {
    live->set_max_size(place.max_size);
  } else {
    known = live = std::make_shared<LiveLog>(place, log, began);
    if (!live->index_error().empty()) events_.unindexed(place.path, live->index_error());
  }
  return live;
}

std::shared_ptr<LiveLog> Capture::known_log(const std::string& path) const {
  const auto found = logs_.find(path);
  return found == logs_.end() ? nullptr : found->second.lock();
}

// Level-triggered while there is a writer. After a terminal's hang-up only edges count: it would be readable for ever,
// and yet somebody may open it again.
void Capture::watch(Source& source, std::uint64_t number) {
  if (source.blocked || source.stuck || source.paused()) return;
  epoll_event event{};
  event.data.u64 = number;
  event.events = EPOLLIN | (source.output_ended ? EPOLLET : 0U);
  const bool finished_pipe = source.output_ended && !source.terminal;
  if (!finished_pipe && ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, source.output.get(), &event) != 0 && errno == EEXIST) {
    (void)::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, source.output.get(), &event);
  }
  event.events = EPOLLIN;
  if (!source.error_ended) (void)::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, source.error_output.get(), &event);
  source.watched = true;
}

// Closing would not be enough: the keeper has the same open file descriptions, and epoll goes by those.
void Capture::unwatch(const Source& source) {
  (void)::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, source.output.get(), nullptr);
  if (source.error_output.get() >= 0) (void)::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, source.error_output.get(), nullptr);
}

void Capture::serve(std::uint64_t number) {
  const auto found = sources_.find(number);
  if (found == sources_.end()) return;
  Source& source = found->second;
  if (source.blocked || source.paused()) return;
  std::size_t bytes = 0;
  Transfer step;
  do {
    step = move_output(source);
    bytes += step.bytes;
    // Its processes are gone, so what is left fits in a pipe; one that escaped may write on, but not hold up the rest.
  } while (source.draining && !source.paused() && step.outcome == Moved::some && bytes < most_drained);
  if (step.outcome == Moved::stuck) {
    set_stuck(source, step.error);
  } else if (source.stuck) {
    set_stuck(source, 0);
    watch(source, number);
  }
  if (source.paused()) return;
  if (source.draining && step.outcome != Moved::stuck && !waits_for_carry(source)) finish(number);
}

// The shared carry pipe holds another run's bytes, or is being replaced.
bool Capture::waits_for_carry(const Source& source) const {
  if (!source.terminal || source.carry_read) return false;
  return carry_in_exchange_ || (pipe_fill(shared_.read) > 0 && owner_.get() != source.id);
}

Transfer Capture::move_output(Source& source) {
  Transfer first = source.terminal ? move_terminal(source)
                                   : move_stream(source, source.output, source.log, *source.live, source.buffer,
                                                 source.output_ended);
  if (source.error_ended || first.outcome == Moved::stuck || source.paused()) return first;
  const Transfer second = move_stream(source, source.error_output, source.error_log, *source.error_live,
                                      source.error_buffer, source.error_ended);
  if (second.outcome == Moved::some || second.outcome == Moved::stuck) first.outcome = second.outcome;
  first.bytes += second.bytes;
  first.error = second.error;
  return first;
}

Transfer Capture::move_stream(const Source& source, FdRef pipe, FdRef log, LiveLog& live, Buffer& buffer, bool& ended) {
  if (ended) return {.outcome = Moved::ended};
  const bool to_line_end = live.ending();
  const std::size_t room = live.room(round_limit);
  const Transfer step = to_line_end ? line_mover_->from_pipe(pipe, log, room) : move_pipe_to_log(pipe, log, room);
  wrote(source, live, log, step, to_line_end);
  nap_.found(step.bytes, buffer.capacity);
  if (2 * step.bytes >= buffer.capacity) grow_if_chatty(buffer, pipe);
  if (step.outcome == Moved::ended) {
    ended = true;
    (void)::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, pipe.get(), nullptr);
  }
  return step;
}

// The user's quota (pipe-user-pages-soft) allows some 64 pipes of this size; refused, it stays as it is.
void Capture::grow_if_chatty(Buffer& buffer, FdRef pipe) {
  if (++buffer.full_batches != 4) return;
  const int size = ::fcntl(pipe.get(), F_SETPIPE_SZ, grown_pipe);
  if (size > 0) buffer.capacity = static_cast<std::size_t>(size);
}

Transfer Capture::move_terminal(Source& source) {
  Transfer step;
  if (source.carry_read) {
    step = move_some(source, source.carry_read, source.carry_write);
  } else if (waits_for_carry(source)) {
    (void)::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, source.output.get(), nullptr);
    carry_awaited_ = true;
    return {.outcome = Moved::nothing};
  } else {
    owner_.set(source.id);
    fault_point("carry.owned");
    step = move_some(source, shared_.read, shared_.write);
    if (step.outcome == Moved::stuck && pipe_fill(shared_.read) > 0) give_carry_away(source);
  }
  nap_.found(step.bytes, terminal_capacity);
  const bool hung_up = step.outcome == Moved::ended;
  if (hung_up != source.output_ended && source.watched && step.outcome != Moved::nothing) {
    source.output_ended = hung_up;
    epoll_event event{};
    event.data.u64 = by_id_.at(source.id);
    event.events = EPOLLIN | (hung_up ? EPOLLET : 0U);
    (void)::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, source.output.get(), &event);
  }
  return step;
}

Transfer Capture::move_some(Source& source, FdRef carry_read, FdRef carry_write) {
  LiveLog& live = *source.live;
  const bool to_line_end = live.ending();
  const std::size_t room = live.room(round_limit);
  const Transfer step = to_line_end
                            ? line_mover_->from_terminal(source.output, carry_read, carry_write, source.log, room)
                            : move_terminal_to_log(source.output, carry_read, carry_write, source.log, room);
  wrote(source, live, source.log, step, to_line_end);
  return step;
}

void Capture::wrote(const Source& source, LiveLog& live, FdRef log, const Transfer& step, bool line_moved) {
  if (step.bytes == 0) return;
  live.wrote(log, step.bytes, source.run, source.nonce, line_moved && line_mover_->at_line_end());
  // A terminal's output that is stuck half-way goes to the log it was meant for.
  if (step.outcome == Moved::stuck || live.paused) return;
  if (const Due due = live.due(); due != Due::no) pause(live, due);
}

std::vector<std::uint64_t> Capture::writers_to(const LiveLog& live) const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, source] : sources_) {
    if (source.writes_to(live)) numbers.push_back(number);
  }
  return numbers;
}

void Capture::pause(LiveLog& live, Due due) {
  live.paused = true;
  for (const std::uint64_t number : writers_to(live)) unwatch(sources_.at(number));
  events_.rotate({.path = live.path(), .due = due, .next_position = live.next_position(), .captured = true});
}

void Capture::rotate_asked(const std::string& path) {
  const auto live = known_log(path);
  if (!live) return events_.rotate({.path = path, .due = Due::asked});
  if (live->paused) return;  // that will be told when it is done
  live->ask();
  for (const std::uint64_t number : writers_to(*live)) {
    if (!live->paused) serve(number);
  }
  // Without a writer left the log is nobody's: all of them were drained just now.
  if (!live->paused && !writers_to(*live).empty()) return pause(*live, Due::asked);
  if (!live->paused) events_.rotate({.path = path, .due = Due::asked, .next_position = live->next_position()});
}

void Capture::take_relog(Command& command) {
  const auto live = known_log(command.id);
  if (!live) return;
  for (const auto& relogged : command.relogged) {
    const auto found = by_id_.find(relogged.id);
    if (found == by_id_.end()) continue;
    Source& source = sources_.at(found->second);
    if (source.live == live) source.log = relogged.log;
    if (source.error_live == live) source.error_log = relogged.log;
  }
  if (!command.relogged.empty()) live->begin(command.relogged.front().log, command.next_position);
  go_on_with(*live);
}

void Capture::go_on_with(LiveLog& live) {
  for (const std::uint64_t number : writers_to(live)) {
    const auto found = sources_.find(number);
    if (found == sources_.end()) continue;
    watch(found->second, number);
    serve(number);
  }
  serve_draining();
}

void Capture::give_carry_away(Source& source) {
  auto fresh = make_carry();
  if (!fresh) return;  // out of descriptors: tried again with the stuck log
  Carry stuck{.read = try_duplicate(shared_.read), .write = try_duplicate(shared_.write)};
  Carry fresh_copy{.read = try_duplicate(fresh->read), .write = try_duplicate(fresh->write)};
  if (!stuck.read || !stuck.write || !fresh_copy.read || !fresh_copy.write) return;
  source.carry_read = std::move(shared_.read);
  source.carry_write = std::move(shared_.write);
  shared_ = std::move(*fresh);
  carry_in_exchange_ = true;
  events_.carry_lost(source.id, std::move(stuck), std::move(fresh_copy));
}

// Bytes that a killed manager left in the carry pipe go to their run's log before anything else uses it.
void Capture::settle_carry() {
  if (carry_in_exchange_ || pipe_fill(shared_.read) == 0) return;
  const auto owner = by_id_.find(owner_.get());
  if (owner == by_id_.end()) return;
  serve(owner->second);
  serve_draining();
}

void Capture::end_waiting_for_carry() {
  if (!carry_awaited_ || carry_in_exchange_ || pipe_fill(shared_.read) > 0) return;
  carry_awaited_ = false;
  for (auto& [number, source] : sources_) {
    if (source.terminal) watch(source, number);
  }
  serve_draining();
}

// Those that had to wait for the carry pipe and have nobody left to wake us for them.
void Capture::serve_draining() {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, source] : sources_) {
    if (source.terminal && source.draining) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) serve(number);
}

void Capture::set_stuck(Source& source, int error) {
  const bool now = error != 0;
  if (now) unwatch(source);
  if (now == source.stuck) return;
  source.stuck = now;
  if (now && stuck_count_++ == 0) retry_at_ = Clock::now() + retry_every;
  if (!now) --stuck_count_;
  events_.stuck(source.id, error);
}

void Capture::retry_stuck() {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, source] : sources_) {
    if (source.stuck) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) serve(number);
  retry_at_ = Clock::now() + retry_every;
}

void Capture::finish(std::uint64_t number) {
  by_id_.erase(sources_.at(number).id);
  turns_.erase(turn_of(sources_.at(number), number));
  const Source source = std::move(sources_.extract(number).mapped());
  unwatch(source);
  const off_t end = ::lseek(source.log.get(), 0, SEEK_CUR);
  events_.drained(source.id, end < 0 ? 0 : static_cast<std::uint64_t>(end));

  const auto turn = turns_.lower_bound({source.job, 0, 0});
  if (turn == turns_.end() || turn->job != source.job) return;
  const std::uint64_t next = turn->number;
  sources_.at(next).blocked = false;
  watch(sources_.at(next), next);
  serve(next);
}

}  // namespace usvc
