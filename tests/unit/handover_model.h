// Everything that can happen next in a world: the steps of manager/life, manager/takeover, manager/holding and
// keeper/keeper, in their order and one visible effect at a time; the programs' own; and the kills. What the steps mean
// is asked of the product: job/step, job/adopt, job/backoff, job/restart, and journal/fold over real events.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "handover_world.h"
#include "job/adopt.h"
#include "job/backoff.h"
#include "job/restart.h"
#include "job/run_id.h"
#include "journal/fold.h"
#include "shapes/event.h"

namespace usvc::handover {

// The journal of one world is one number: every record that was ever folded, kept once.
class Journal {
 public:
  struct Entry {
    JobRecord record;
    JobState state = JobState::stopped;
    Byte run = 0;
    std::unordered_map<std::string, std::uint16_t> next;  // by the event's line
  };

  Journal() { (void)number_of(JobRecord()); }

  [[nodiscard]] const Entry& operator[](std::uint16_t number) const { return entries_.at(number); }

  std::uint16_t append(std::uint16_t number, const Event& event) {
    const std::string line = event_line(event);
    if (const auto known = entries_.at(number).next.find(line); known != entries_.at(number).next.end()) {
      return known->second;
    }
    JobRecord record = entries_.at(number).record;
    const auto read = parse_event(line);  // as the next manager will read it
    if (!read) throw std::runtime_error(read.error().message());
    apply(record, *read);
    const std::uint16_t next = number_of(record);
    entries_.at(number).next.emplace(line, next);
    return next;
  }

 private:
  std::uint16_t number_of(const JobRecord& record) {
    const std::string text = json::serialize(to_json(record));
    const auto [found, fresh] = numbers_.try_emplace(text, static_cast<std::uint16_t>(entries_.size()));
    if (fresh) {
      const auto id = parse_run_id(record.run_id.value_or(""));
      entries_.push_back({.record = record,
                          .state = job_state_from(record.state).value_or(JobState::invalid),
                          .run = id ? static_cast<Byte>(id->number) : Byte{0},
                          .next = {}});
    }
    return found->second;
  }

  std::vector<Entry> entries_;
  std::map<std::string, std::uint16_t> numbers_;
};

// Classic ways to get the hand-over wrong: the explorer must find each.
enum class Mistake {
  none,
  lets_go_before_it_journals,  // `spawned` after the go byte
  drains_the_living,           // adoption takes a live program for one that has ended
  forgets_survivors,           // no sweep of what a killed pair left
  sweeps_past_launches,        // that sweep does not see a child that has been let go and is not yet its program
  drops_before_it_journals,    // the keeper's item before the `exited` line
  asks_again_after_the_hook,   // a passed pre-run hook is not in the journal
  takes_absence_for_a_start,   // a child that died unborn is taken for a program that ran
  takes_orphans_for_alive,     // adoption goes by the keeper alone, which does not see an orphan's end
  keeps_dead_launches,         // a child that died unborn stays in the journal as the run's process
  leaves_runs_open,            // a run that came to nothing stays `starting` in the journal of a job that is not wanted
  lets_any_process_lead,       // of several of one run, adoption follows any, not the latest
  obeys_overtaken_starts,      // a start that waits to be looked at while a stop has been journaled
};

struct Rules {
  int kills = 3;
  int ends = 1;  // of programs by themselves, or of hooks badly
  int stops = 1;
  int starts = 1;
  bool pre_hook = false;
  bool post_hook = false;
  bool full_disk = false;  // what a run has printed gets into its log some time or other
  RestartPolicy restart = RestartPolicy::always;
  Mistake mistake = Mistake::none;
};

class Model {
 public:
  explicit Model(const Rules& rules) : rules_(rules) {}

  // must: it happens sooner or later. Else it may, or not.
  using Emit = std::function<void(const World& next, const char* what, bool must, const std::string& fault)>;

  World first();
  void successors(const World& world, const Emit& emit);
  // What is wrong with a world in which nothing is left to happen; empty: nothing.
  std::string at_the_end(const World& world) const;
  std::string describe(const World& world) const;

 private:
  template <class Change>
  void when(bool possible, const char* what, Change change, bool must = true);

  // Who makes things happen.
  void kills();
  void people();
  void process_steps(std::size_t i);
  void keeper_steps();
  void manager_steps();

  // The keeper.
  void handle(World& world, const Message& message);
  void spawn(World& world, const Message& message);
  void drop_item(World& world, const Message& message);
  void see_end(World& world, Byte pid);

  // The manager.
  void adopt(World& world);
  void adopt_item(World& world, const Item& item);
  void take_state(World& world, Resume resume);
  void take_up(World& world, Resume resume);
  void take_up_unbegun(World& world);
  void settle_down(World& world);
  void end_unwanted(World& world);
  void follow(World& world);
  void hear(World& world, const Message& message);
  void on_end(World& world, Byte run, Phase phase, bool known, bool failed);
  void look_at_orphan(World& world, Held& held);
  void lose_keeper(World& world);
  void hand_over(World& world);
  bool live(World& world);
  bool rest(World& world);
  bool await_process(World& world);
  bool ask(World& world);
  bool note_spawned(World& world);
  bool let_go(World& world);
  bool await_program(World& world);
  bool attend(World& world);
  bool send_stop(World& world);
  void release_run(World& world);
  bool drop_hook(World& world);
  bool bury(World& world);
  bool decide(World& world);
  bool note_lost(World& world);
  bool follow_launch(World& world);
  bool sweep_lost(World& world);
  void enter_pre_run(World& world);
  void enter_epilogue(World& world);
  void ask_for_process(World& world, Phase phase);
  void say_drop(World& world, Byte run, Phase phase);
  Step advance(World& world, JobEvent event);
  void enter(World& world, JobState state);

  // The journal.
  [[nodiscard]] const JobRecord& record(const World& world) const { return journal_[world.record].record; }
  [[nodiscard]] Event event(const World& world, std::string_view name) const;
  void append(World& world, const Event& event);
  void append_exited(World& world, bool known, bool failed);
  [[nodiscard]] Journaled journaled(const World& world) const;

  // The promises.
  void fault(const char* text) {
    if (fault_.empty()) fault_ = text;
  }
  void begin_program(World& world, Process& process);

  [[nodiscard]] static bool is_known(const World& world, Byte pid);
  [[nodiscard]] static Byte free_pid(const World& world, const JobRecord& record);
  [[nodiscard]] static bool in_block(const World& world);
  [[nodiscard]] static std::size_t handed_over(const World& world);

  Rules rules_;
  Journal journal_;
  const World* from_ = nullptr;
  const Emit* emit_ = nullptr;
  std::string fault_;
};

inline Byte bit(Byte run) {
  return static_cast<Byte>(1U << run);
}
inline Byte bit(Phase phase) {
  return static_cast<Byte>(1U << static_cast<unsigned>(phase));
}

template <class Of>
auto find_pid(Of& list, Byte pid) {
  return list.find([pid](const auto& one) { return one.pid == pid; });
}
// Dead: a zombie, or reaped.
inline bool is_gone(const Process* process) {
  return process == nullptr || process->being == Being::zombie;
}

template <class Change>
void Model::when(bool possible, const char* what, Change change, bool must) {
  if (!possible) return;
  World next = *from_;
  fault_.clear();
  change(next);
  (*emit_)(next, what, must, fault_);
}

// The instance runs, and the job has just been created.
inline World Model::first() {
  World world;
  world.keeper = world.manager = world.connected = true;
  world.at = At::rest;
  world.events.push(JobEvent::start);
  world.kills = static_cast<Byte>(rules_.kills);
  world.ends = static_cast<Byte>(rules_.ends);
  world.stops = static_cast<Byte>(rules_.stops);
  world.starts = static_cast<Byte>(rules_.starts);
  Event wanted = event(world, "wanted");
  wanted.wanted = true;
  append(world, wanted);
  return world;
}

inline void Model::successors(const World& world, const Emit& emit) {
  from_ = &world;
  emit_ = &emit;
  kills();
  people();
  for (std::size_t i = 0; i < world.processes.size(); ++i) process_steps(i);
  keeper_steps();
  manager_steps();
}

// ---- what comes from outside

inline void Model::kills() {
  const World& now = *from_;
  const auto kill_manager = [](World& world) {
    --world.kills;
    world.manager = world.connected = false;
    world.at = At::meeting;
    world.state = JobState::stopped;
    world.stage = Phase::pre;
    world.run = Held();
    world.leftovers.clear();
    world.events.clear();
    world.launched = world.to_hand_over = 0;
    world.launch_ended = world.launch_failed = world.same_keeper = world.never_began = world.stop_told = false;
    world.to_manager.clear();
    for (Process& process : world.processes) process.heard = false;
  };
  const auto kill_keeper = [&](World& world) {
    --world.kills;
    world.keeper = false;
    world.items.clear();
    world.to_keeper.clear();
    for (Process& process : world.processes) process.child = false;
    for (Byte run = 1; run < most_runs; ++run) {
      const bool made = world.processes.find([&](const Process& one) { return one.run == run; }) != nullptr;
      if ((made || world.let_go.at(run) != 0) && world.exits.at(run) == 0) world.orphaned |= bit(run);
    }
    if (world.manager && world.at == At::meeting) {  // it can't go on without having been told everything
      ++world.kills;
      kill_manager(world);
    }
  };
  when(now.kills > 0 && now.manager, "KILL the manager", kill_manager, false);
  when(now.kills > 0 && now.keeper, "KILL the keeper", kill_keeper, false);
}

inline void Model::people() {
  const World& now = *from_;
  const bool hears = now.manager && now.at != At::meeting && !in_block(now);
  const auto stop = [&](World& world) {
    --world.stops;
    world.stop_open = world.stop_told = world.stopped_once = true;
    world.stop_run = journal_[world.record].run;
    Event wanted = event(world, "wanted");
    wanted.wanted = false;
    append(world, wanted);
    world.events.push(JobEvent::stop);
  };
  const auto ask_again = [&](World& world) {  // by its idempotency key: nothing is journaled twice
    world.stop_told = true;
    world.stop_run = journal_[world.record].run;
    world.events.push(JobEvent::stop);
  };
  const auto acknowledge = [&](World& world) {
    world.stop_open = world.stop_told = false;
    world.stop_acknowledged = !record(world).wanted;
  };
  const auto start = [&](World& world) {
    --world.starts;
    world.stop_acknowledged = false;
    const JobState state = world.state;
    const bool runs = state == JobState::starting || state == JobState::pre_run || state == JobState::running ||
                      state == JobState::stopping;
    if (runs && record(world).wanted) return;
    Event wanted = event(world, "wanted");
    wanted.wanted = true;
    wanted.anew = true;
    append(world, wanted);
    world.events.push(JobEvent::start);
  };
  when(hears && now.stops > 0, "a client asks for a stop", stop, false);
  when(hears && now.stop_open && !now.stop_told, "the client asks for its stop again", ask_again);
  // Or somebody has started it again meanwhile.
  const bool over = (now.state == JobState::stopped && now.run.pid == 0) || journal_[now.record].run != now.stop_run;
  when(hears && now.stop_open && now.stop_told && over, "the stop is acknowledged", acknowledge);
  when(hears && now.starts > 0 && now.stopped_once, "a client asks for a start", start, false);
  const auto begin = [](World& world) { world.keeper = world.manager = world.connected = true; };
  when(!now.keeper && !now.manager, "a command starts a new pair", begin);
}

// ---- the job's processes

inline void Model::begin_program(World& world, Process& process) {
  process.being = Being::running;
  process.execed = true;
  const Phase phase = process.phase;
  Byte& let_go = world.let_go.at(process.run);
  if ((let_go & bit(phase)) != 0) fault("a program or hook of one run was let go twice");
  let_go |= bit(phase);
  for (const Process& other : world.processes) {
    if (other.pid != process.pid && other.being == Being::running) fault("two processes of the job's live");
  }
  if (phase == Phase::main && rules_.pre_hook && (world.passed & bit(process.run)) == 0) {
    fault("the program runs, and its pre-run hook has not passed");
  }
  if (record(world).pid != process.pid || journal_[world.record].run != process.run) {
    fault("it runs, and is not in the journal");
  }
  if (world.stop_acknowledged) fault("it runs after its stop was acknowledged");
}

inline void Model::process_steps(std::size_t i) {
  const World& now = *from_;
  const Process& process = *(now.processes.begin() + i);
  const bool unborn = process.being == Being::unborn;
  const bool running = process.being == Being::running;
  const bool zombie = process.being == Being::zombie;
  const auto end = [i](bool failed) {
    return [i, failed](World& world) {
      Process& ended = world.processes[i];
      ended.being = Being::zombie;
      ended.failed = failed;
      ended.doomed = ended.go = ended.heard = false;
      if (ended.phase == Phase::pre && !failed) world.passed |= bit(ended.run);
    };
  };
  const auto end_badly = [&](World& world) {
    --world.ends;
    end(true)(world);
  };
  when(unborn && process.go, "a child becomes its program",
       [&, i](World& world) { begin_program(world, world.processes[i]); });
  const auto refuse = [&, i](World& world) {
    --world.ends;
    world.launch_failed = world.processes[i].heard;  // it says why to whoever let it go
    end(true)(world);
  };
  when(unborn && process.go && now.ends > 0, "a program can't be executed", refuse, false);
  when(unborn && !process.go && !process.heard, "a child that nobody lets go ends", end(true));
  when(!zombie && process.doomed, "a process is ended by its signal", end(true));
  when(running && process.phase != Phase::main, "a hook ends well", end(false));
  when(running && now.ends > 0, process.phase == Phase::main ? "the program ends by itself" : "a hook fails", end_badly,
       false);
  const bool held = find_pid(now.items, process.pid) != nullptr;
  // Its item dropped, or never made known: the keeper takes it for a stray.
  const bool reapable = zombie && (!process.child || (now.keeper && !held));
  when(reapable, process.child ? "the keeper reaps a stray" : "init reaps a process",
       [i](World& world) { world.processes.erase(i); });
}

// ---- the keeper

inline void Model::keeper_steps() {
  const World& now = *from_;
  if (!now.keeper) return;
  when(!now.to_keeper.empty(), "the keeper handles a message", [&](World& world) {
    const Message message = world.to_keeper.pop();
    handle(world, message);
  });
  for (const Item& item : now.items) {
    const Process* process = find_pid(now.processes, item.pid);
    const bool ended = item.child && !item.ended && process != nullptr && process->being == Being::zombie;
    when(ended, "the keeper sees an end", [&](World& world) { see_end(world, item.pid); });
  }
  when(!now.manager && now.to_keeper.empty(), "the keeper starts a manager",
       [](World& world) { world.manager = world.connected = true; });
}

inline void Model::handle(World& world, const Message& message) {
  switch (Kind{message.kind}) {
    case Kind::spawn:
      return spawn(world, message);
    case Kind::hold: {
      Item* item = find_pid(world.items, message.pid);
      if (item != nullptr) return;
      return world.items.push({.run = message.run, .phase = message.phase, .pid = message.pid});
    }
    case Kind::drop:
      return drop_item(world, message);
    case Kind::spawned:
    case Kind::exited:
      return;
  }
}

inline void Model::spawn(World& world, const Message& message) {
  const auto same = [&](const Item& item) { return item.run == message.run && item.phase == message.phase; };
  if (world.items.find(same) != nullptr) fault("the keeper is told to make what it holds already");
  const Byte pid = free_pid(world, record(world));
  world.processes.push({.pid = pid, .run = message.run, .phase = message.phase, .heard = world.manager, .child = true});
  world.items.push({.run = message.run, .phase = message.phase, .pid = pid, .child = true});
  if (world.manager) {
    world.to_manager.push({.kind = Kind::spawned, .run = message.run, .phase = message.phase, .pid = pid});
  }
}

inline void Model::drop_item(World& world, const Message& message) {
  const Item* found =
      world.items.find([&](const Item& item) { return item.run == message.run && item.phase == message.phase; });
  if (found == nullptr) return;
  const Item item = *found;
  world.items.erase(static_cast<std::size_t>(found - world.items.begin()));
  if (!item.child) return;
  world.processes.erase_if(
      [&](const Process& process) { return process.pid == item.pid && process.being == Being::zombie; });
}

inline void Model::see_end(World& world, Byte pid) {
  const bool failed = find_pid(world.processes, pid)->failed;
  Item& item = *find_pid(world.items, pid);
  item.ended = true;
  item.failed = failed;
  if (!world.manager || world.at == At::meeting) return;  // told with its item
  world.to_manager.push(
      {.kind = Kind::exited, .run = item.run, .phase = item.phase, .pid = item.pid, .failed = item.failed});
}

// ---- the manager: what happens to it

// Between two suspensions of the coroutine nothing else of the manager's runs.
inline bool Model::in_block(const World& world) {
  return world.to_hand_over > 0 || world.at == At::note_spawned || world.at == At::let_go || world.at == At::send_stop;
}

inline void Model::manager_steps() {
  const World& now = *from_;
  if (!now.manager) return;
  if (now.at == At::meeting) {
    return when(now.keeper && now.to_keeper.empty(), "the manager adopts", [&](World& world) { adopt(world); });
  }
  if (now.to_hand_over > 0) {
    return when(true, "the manager hands a run over", [&](World& world) { hand_over(world); });
  }
  {
    World next = now;
    fault_.clear();
    const std::string_view step = to_string(At{now.at});
    if (live(next)) (*emit_)(next, step.data(), true, fault_);  // the names are literals
  }
  if (in_block(now)) return;
  when(!now.to_manager.empty(), "the manager hears of it", [&](World& world) {
    const Message message = world.to_manager.pop();
    hear(world, message);
  });
  when(now.connected && !now.keeper && now.to_manager.empty(), "the manager notices the keeper's death",
       [&](World& world) { lose_keeper(world); });
  when(!now.connected && !now.keeper, "the manager starts a keeper", [](World& world) {
    world.keeper = world.connected = true;
    world.same_keeper = false;
    world.to_hand_over = static_cast<Byte>(handed_over(world));
  });
  const auto unseen = [&](const Held& held) {
    if (held.pid == 0 || held.child || held.ended) return false;
    return is_gone(find_pid(now.processes, held.pid));
  };
  when(unseen(now.run), "the manager sees an orphan's end", [&](World& world) { look_at_orphan(world, world.run); });
  for (std::size_t i = 0; i < now.leftovers.size(); ++i) {
    const Held& held = *(now.leftovers.begin() + i);
    when(unseen(held), "the manager sees a leftover's end",
         [&, i](World& world) { look_at_orphan(world, world.leftovers[i]); });
    when(held.ended, "a leftover is drained", [&, i](World& world) {
      const Held drained = world.leftovers[i];
      world.leftovers.erase(i);
      say_drop(world, drained.run, drained.phase);
    });
  }
}

inline void Model::hear(World& world, const Message& message) {
  if (message.kind == Kind::exited) return on_end(world, message.run, message.phase, true, message.failed);
  if (world.at == At::await_process && world.launched == 0) world.launched = message.pid;
}

inline void Model::on_end(World& world, Byte run, Phase phase, bool known, bool failed) {
  const auto is = [&](const Held& held) { return held.pid != 0 && held.run == run && held.phase == phase; };
  Held* held = is(world.run) ? &world.run : world.leftovers.find(is);
  if (held != nullptr) {
    if (held->ended) return;
    held->ended = true;
    held->known = known;
    held->failed = failed;
    if (rules_.mistake == Mistake::drops_before_it_journals) say_drop(world, run, phase);
    return;
  }
  if (world.at == At::await_process && journal_[world.record].run == run && world.stage == phase) {
    world.launch_ended = true;
    world.launch_failed = failed;
    return;
  }
  say_drop(world, run, phase);  // a child that was never let go
}

inline void Model::look_at_orphan(World& world, Held& held) {
  const Process* process = find_pid(world.processes, held.pid);
  const bool known = process != nullptr;  // still a zombie: its status can be read
  on_end(world, held.run, held.phase, known, known && process->failed);
}

inline void Model::lose_keeper(World& world) {
  world.connected = false;
  if (world.at != At::await_process || world.launched != 0) return;
  for (Process& process : world.processes) process.heard = process.heard && process.pid == world.run.pid;
  world.launch_ended = world.launch_failed = false;
  world.at = At::ask_for_process;
}

inline std::size_t Model::handed_over(const World& world) {
  return (world.run.pid != 0 ? 1U : 0U) + world.leftovers.size();
}

inline void Model::hand_over(World& world) {
  const std::size_t i = handed_over(world) - world.to_hand_over--;
  const bool leads = world.run.pid != 0;
  Held& held = leads && i == 0 ? world.run : world.leftovers[i - (leads ? 1 : 0)];
  held.child = false;
  if (!world.keeper) return;
  world.to_keeper.push({.kind = Kind::hold, .run = held.run, .phase = held.phase, .pid = held.pid});
}

inline void Model::say_drop(World& world, Byte run, Phase phase) {
  if (world.connected && world.keeper) world.to_keeper.push({.kind = Kind::drop, .run = run, .phase = phase});
}

// ---- the manager: adoption (manager/takeover and Life::take_up)

inline Journaled Model::journaled(const World& world) const {
  const Journal::Entry& entry = journal_[world.record];
  return {.state = entry.state, .hook_passed = entry.record.hook_passed, .spawned = entry.record.pid.has_value()};
}

inline void Model::adopt(World& world) {
  const Byte current = journal_[world.record].run;
  const auto rank = [&](const Item& item) {
    const int later = rules_.mistake == Mistake::lets_any_process_lead ? 0 : 2 - static_cast<int>(Phase{item.phase});
    return (item.run == current ? 0 : 8) + 2 * later + (item.ended ? 1 : 0);
  };
  std::multimap<int, Item> items;
  for (const Item& item : world.items) items.emplace(rank(item), item);
  world.at = At::rest;
  std::optional<Resume> resume;
  for (const auto& [order, item] : items) {
    const bool unseen = !item.child && is_gone(find_pid(world.processes, item.pid)) &&
                        rules_.mistake != Mistake::takes_orphans_for_alive;
    const HeldProcess held{.phase = item.phase, .ended = item.ended || unseen};
    Resume meaning = item.run == current ? resume_with(journaled(world), held) : resume_other(held, world.run.pid == 0);
    if (rules_.mistake == Mistake::drains_the_living && item.phase == Phase::main) meaning = Resume::drain;
    const bool leads = meaning == Resume::follow || meaning == Resume::recover || meaning == Resume::bury;
    if (leads && world.run.pid != 0) meaning = held.ended ? Resume::drain : Resume::end;
    if (meaning == Resume::recover) fault("the manager thinks that the journal has lost a run");
    const Held taken{.pid = item.pid,
                     .run = item.run,
                     .phase = item.phase,
                     .child = item.child,
                     .ended = item.ended,
                     .known = item.ended,
                     .failed = item.failed};
    if (!leads || world.run.pid != 0) {
      world.leftovers.push(taken);
      if (meaning != Resume::end) continue;
      for (Process& process : world.processes) process.doomed |= process.pid == item.pid && !item.ended;
      continue;
    }
    world.run = taken;
    resume = meaning;
  }
  if (!resume) resume = resume_without(journaled(world));
  take_state(world, *resume);
  take_up(world, *resume);
}

inline void Model::take_state(World& world, Resume resume) {
  world.state = journal_[world.record].state;
  if (resume == Resume::follow && world.run.phase == Phase::main && world.state == JobState::pre_run) {
    world.state = JobState::starting;
  }
}

inline void Model::take_up(World& world, Resume resume) {
  const auto& last_exit = record(world).last_exit;
  world.never_began = last_exit && last_exit->reason.has_value();
  switch (resume) {
    case Resume::rest:
    case Resume::drain:
    case Resume::end:
      return settle_down(world);
    case Resume::begin:
      return take_up_unbegun(world);
    case Resume::program:
      world.never_began = false;
      world.state = JobState::starting;
      end_unwanted(world);
      return ask_for_process(world, Phase::main);
    case Resume::follow:
    case Resume::recover:
      world.never_began = false;
      return follow(world);
    case Resume::bury:
      world.state = JobState::dead;
      world.stage = Phase::main;
      world.at = At::bury;
      return;
    case Resume::epilogue:
      world.state = JobState::dead;
      return enter_epilogue(world);
    case Resume::decide:
      world.state = JobState::dead;
      world.at = At::sweep_and_decide;
      return;
    case Resume::lost:
      world.state = JobState::stopping;
      world.at = At::sweep_lost;
      return;
  }
}

inline void Model::take_up_unbegun(World& world) {
  if (rules_.mistake == Mistake::leaves_runs_open) {
    world.state = JobState::stopped;
    return settle_down(world);
  }
  if (record(world).wanted) {
    end_unwanted(world);
    return enter_pre_run(world);
  }
  enter(world, JobState::stopped);
  world.at = At::rest;
}

inline void Model::settle_down(World& world) {
  world.at = At::rest;
  if (world.state == JobState::waiting && !record(world).wanted) (void)advance(world, JobEvent::stop);
  if (world.state == JobState::stopped && record(world).wanted) world.events.push(JobEvent::start);
}

inline void Model::end_unwanted(World& world) {
  const JobState state = world.state;
  const bool begins = state == JobState::starting || state == JobState::pre_run;
  if (!begins && state != JobState::running) return;
  if (!record(world).wanted) return world.events.push(JobEvent::stop);
  if (record(world).anew) world.events.push(JobEvent::restart);
}

inline void Model::follow(World& world) {
  const Phase phase = world.run.phase;
  world.stage = phase;
  end_unwanted(world);
  if (world.state == JobState::stopping) {
    if (phase == Phase::pre) world.never_began = true;
    world.stage = Phase::main;
    world.at = At::send_stop;
    return;
  }
  const bool launching = world.state == JobState::starting || (phase == Phase::post && world.state == JobState::dead);
  world.at = launching ? At::follow_launch : At::attend;
}

// ---- the manager: the job's life (manager/life)

// One step; false when it waits for something.
inline bool Model::live(World& world) {
  switch (At{world.at}) {
    case At::meeting:
      return false;
    case At::rest:
      return rest(world);
    case At::ask_for_process:
      return ask(world);
    case At::await_process:
      return await_process(world);
    case At::note_spawned:
      return note_spawned(world);
    case At::let_go:
      return let_go(world);
    case At::await_program:
      return await_program(world);
    case At::attend:
      return attend(world);
    case At::send_stop:
      return send_stop(world);
    case At::drop_hook:
      return drop_hook(world);
    case At::bury:
      return bury(world);
    case At::decide:
      return decide(world);
    case At::follow_launch:
      return follow_launch(world);
    case At::sweep_lost:
    case At::sweep_and_decide:
      return sweep_lost(world);
    case At::note_lost:
      return note_lost(world);
  }
  return false;
}

inline bool Model::ask(World& world) {
  if (!world.connected) return false;  // tried again until there is a keeper
  world.at = At::await_process;
  world.same_keeper = true;
  if (!world.keeper) return true;  // said to one that is dead
  world.to_keeper.push({.kind = Kind::spawn, .run = journal_[world.record].run, .phase = world.stage});
  return true;
}

inline bool Model::send_stop(World& world) {
  for (Process& process : world.processes) {
    process.doomed |= process.pid == world.run.pid && process.being != Being::zombie;
  }
  world.at = At::attend;
  return true;
}

inline void Model::release_run(World& world) {
  if (rules_.full_disk && world.leftovers.empty()) {
    world.leftovers.push(world.run);
  } else {
    say_drop(world, world.run.run, world.run.phase);
  }
  world.run = Held();
}

inline bool Model::drop_hook(World& world) {
  release_run(world);
  ask_for_process(world, Phase::main);
  return true;
}

inline bool Model::note_lost(World& world) {
  append_exited(world, false, false);
  world.state = JobState::dead;
  world.at = At::decide;
  return true;
}

inline bool Model::rest(World& world) {
  if (world.events.empty() && world.state != JobState::waiting) return false;
  const JobEvent event = world.events.empty() ? JobEvent::deadline : JobEvent{world.events.pop()};
  const bool overtaken = event == JobEvent::start && !record(world).wanted;
  if (overtaken && rules_.mistake != Mistake::obeys_overtaken_starts) return true;
  (void)advance(world, event);
  if (world.state == JobState::starting) enter_pre_run(world);
  return true;
}

inline void Model::enter_pre_run(World& world) {
  world.never_began = false;
  ask_for_process(world, rules_.pre_hook ? Phase::pre : Phase::main);
}

inline void Model::enter_epilogue(World& world) {
  if (world.never_began || !rules_.post_hook) {
    world.at = At::decide;
    return;
  }
  world.events.clear();
  ask_for_process(world, Phase::post);
}

inline void Model::ask_for_process(World& world, Phase phase) {
  world.stage = phase;
  world.at = At::ask_for_process;
}

inline bool Model::await_process(World& world) {
  if (world.launched == 0) return false;
  const Byte pid = std::exchange(world.launched, Byte{0});
  const bool ended = std::exchange(world.launch_ended, false);
  const bool failed = std::exchange(world.launch_failed, false);
  if (!world.same_keeper) {
    for (Process& process : world.processes) process.heard &= process.pid != pid;
    world.at = At::ask_for_process;
    return true;
  }
  world.run = {.pid = pid,
               .run = journal_[world.record].run,
               .phase = world.stage,
               .child = true,
               .ended = ended,
               .known = ended,
               .failed = failed};
  world.at = rules_.mistake == Mistake::lets_go_before_it_journals ? At::let_go : At::note_spawned;
  return true;
}

inline bool Model::note_spawned(World& world) {
  Event spawned = event(world, "spawned");
  spawned.pid = world.run.pid;
  spawned.start_ticks = 1;
  spawned.boot_id = "boot";
  append(world, spawned);
  world.at = rules_.mistake == Mistake::lets_go_before_it_journals ? At::await_program : At::let_go;
  return true;
}

inline bool Model::let_go(World& world) {
  Process* process = find_pid(world.processes, world.run.pid);
  if (process != nullptr && process->being == Being::unborn) process->go = true;
  world.at = rules_.mistake == Mistake::lets_go_before_it_journals ? At::note_spawned : At::await_program;
  return true;
}

inline bool Model::await_program(World& world) {
  const Process* process = find_pid(world.processes, world.run.pid);
  if (process != nullptr && process->being == Being::unborn) return false;
  if (!world.launch_failed) {
    (void)advance(world, world.stage == Phase::main ? JobEvent::begun : JobEvent::hook_begun);
    world.at = At::attend;
    return true;
  }
  if (!world.run.ended) return false;
  world.never_began = true;
  world.at = At::bury;
  if (world.stage != Phase::post) (void)advance(world, JobEvent::exited);
  world.launch_failed = false;
  return true;
}

inline bool Model::attend(World& world) {
  const auto at_work = [&] {
    const JobState state = world.state;
    return state == JobState::pre_run || state == JobState::running || state == JobState::stopping ||
           state == JobState::post_run;
  };
  JobEvent event = JobEvent::exited;
  if (world.run.ended) {
    const bool passed = world.state == JobState::pre_run && world.run.known && !world.run.failed;
    if (passed) event = JobEvent::hook_passed;
  } else {
    if (world.events.empty()) return false;
    event = world.events.pop();
  }
  if (rules_.mistake == Mistake::asks_again_after_the_hook && event == JobEvent::hook_passed) {
    world.state = JobState::starting;
  } else if (advance(world, event).action == JobAction::send_stop) {
    world.at = At::send_stop;
  }
  if (at_work()) return true;
  if (world.stage == Phase::pre && world.state == JobState::starting) {
    world.at = At::drop_hook;
    return true;
  }
  if (world.stage == Phase::pre) world.never_began = true;
  world.at = At::bury;
  return true;
}

inline bool Model::bury(World& world) {
  if (world.run.pid != 0) release_run(world);
  if (world.stage == Phase::post) {
    world.at = At::decide;
    return true;
  }
  enter_epilogue(world);
  return true;
}

inline bool Model::decide(World& world) {
  world.events.clear();
  const JobRecord& now = record(world);
  const ExitView exit = now.last_exit.value_or(ExitView{});
  JobEvent next = JobEvent::finished;
  if (now.wanted && (now.anew || exit.asked.value_or(false))) {
    next = JobEvent::again_now;
  } else if (now.wanted) {
    const ExitStatus status = exit.code ? ExitStatus(ExitStatus::Exited{static_cast<int>(*exit.code)}) : ExitStatus();
    if (!wants_restart(rules_.restart, status)) {
      Event unwanted = event(world, "wanted");
      unwanted.wanted = false;
      append(world, unwanted);
      return true;  // and decides again
    }
    const Duration pause = Backoff::delay({}, static_cast<int>(now.young_ends), {}, 0.5);
    next = pause == Duration::zero() ? JobEvent::again_now : JobEvent::again_later;
  }
  (void)advance(world, next);
  world.at = At::rest;
  if (world.state == JobState::starting) enter_pre_run(world);
  return true;
}

inline bool Model::follow_launch(World& world) {
  const Process* process = find_pid(world.processes, world.run.pid);
  const bool launching = process != nullptr && !process->execed;
  // Gone, and no `spawned` line: nobody can have let it go.
  const bool never =
      process == nullptr && record(world).pid != world.run.pid && rules_.mistake != Mistake::takes_absence_for_a_start;
  if (launching || never) {
    if (!world.run.ended) return false;
    if (record(world).pid && rules_.mistake != Mistake::keeps_dead_launches) {
      append(world, event(world, "spawned"));  // of no process
      return true;
    }
    say_drop(world, world.run.run, world.run.phase);
    world.run = Held();
    if (world.stage == Phase::post) world.events.clear();
    world.at = At::ask_for_process;
    return true;
  }
  (void)advance(world, world.stage == Phase::main ? JobEvent::begun : JobEvent::hook_begun);
  world.at = At::attend;
  return true;
}

// Ends what lives of the journaled run; true when something has been done, or is.
inline bool Model::sweep_lost(World& world) {
  const JobRecord& now = record(world);
  bool alive = false;
  bool signalled = false;
  for (Process& process : world.processes) {
    // By the mark in its environment, which it has from execve on, or by the identity in the journal.
    const bool marked = process.being == Being::running && process.run == journal_[world.record].run;
    const bool journaled =
        process.being == Being::unborn && process.pid == now.pid && rules_.mistake != Mistake::sweeps_past_launches;
    if ((!marked && !journaled) || is_known(world, process.pid)) continue;
    alive = true;
    signalled |= !std::exchange(process.doomed, true);
  }
  if (!now.pid || rules_.mistake == Mistake::forgets_survivors) alive = signalled = false;
  if (alive) return signalled;
  world.at = world.at == At::sweep_lost ? At::note_lost : At::decide;
  return true;
}

inline Step Model::advance(World& world, JobEvent event) {
  const Step taken = step(world.state, event);
  if (taken.next != world.state) enter(world, taken.next);
  return taken;
}

inline void Model::enter(World& world, JobState state) {
  const JobState before = world.state;
  world.state = state;
  Event entered = event(world, to_string(state));
  switch (state) {
    case JobState::starting:
      if (before == JobState::pre_run) {
        entered.event = "hook-passed";
      } else {
        const auto number = static_cast<std::uint64_t>(record(world).runs) + 1;
        if (number >= most_runs) throw std::length_error("the model's world is too small: more runs");
        entered.run_id = make_run_id("job", number, 0);
        if (world.stop_acknowledged) fault("a run begins after the stop was acknowledged");
      }
      return append(world, entered);
    case JobState::dead:
      if (before != JobState::post_run) append_exited(world, world.run.known, world.run.failed);
      return;
    case JobState::waiting:
      entered.until = 1;
      return append(world, entered);
    case JobState::running:
      entered.pid = world.run.pid;
      if ((world.let_go.at(world.run.run) & bit(Phase::main)) == 0 && record(world).pid != world.run.pid) {
        fault("`running` is journaled of a program that was never let go");
      }
      return append(world, entered);
    case JobState::stopped:
    case JobState::pre_run:
    case JobState::post_run:
    case JobState::stopping:
    case JobState::invalid:
      return append(world, entered);
  }
}

// ---- the journal

inline Event Model::event(const World& world, std::string_view name) const {
  Event event;
  event.t = 1;
  event.event = name;
  event.job = "job";
  event.run_id = record(world).run_id;
  return event;
}

inline void Model::append(World& world, const Event& event) {
  world.record = journal_.append(world.record, event);
}

inline void Model::append_exited(World& world, bool known, bool failed) {
  const Byte run = journal_[world.record].run;
  Event exited = event(world, "exited");
  if (journal_[world.record].state == JobState::stopping) exited.asked = true;
  exited.core = false;
  exited.ran = 0;
  if (world.launch_failed) {
    exited.message = "it can't be executed";
  } else if (known) {
    exited.code = failed ? 1 : 0;
  }
  if (world.stage == Phase::pre && world.run.pid != 0) exited.message = "the pre-run hook failed";
  append(world, exited);
  if (++world.exits.at(run) > 1) fault("the end of one run is journaled twice");
  known |= world.launch_failed;
  if (!known) world.unknown |= bit(run);
  if (!known && (world.orphaned & bit(run)) == 0) fault("an end is called unknown, and its keeper lives");
  for (const Process& process : world.processes) {
    if (process.run == run && process.being == Being::running) fault("`exited` is journaled of a run that lives");
  }
}

// ---- the end

inline bool Model::is_known(const World& world, Byte pid) {
  return world.run.pid == pid || world.leftovers.find([&](const Held& held) { return held.pid == pid; }) != nullptr;
}

// A number that nobody has and nobody remembers: identity is more than a pid.
inline Byte Model::free_pid(const World& world, const JobRecord& record) {
  for (Byte pid = 1;; ++pid) {
    const auto has = [&](const auto& one) { return one.pid == pid; };
    const bool taken = record.pid == pid || world.processes.find(has) != nullptr || world.items.find(has) != nullptr ||
                       world.to_manager.find(has) != nullptr || world.to_keeper.find(has) != nullptr ||
                       is_known(world, pid) || world.launched == pid;
    if (!taken) return pid;
  }
}

inline std::string Model::at_the_end(const World& world) const {
  const Journal::Entry& entry = journal_[world.record];
  const bool wanted = entry.record.wanted;
  if (!world.manager || !world.keeper) return "manager or keeper is not there";
  if (world.stop_open) return "a stop is never answered";
  for (Byte run = 1; run < most_runs; ++run) {
    const bool lives = world.processes.find([&](const Process& one) { return one.run == run; }) != nullptr;
    const bool ran = (world.let_go.at(run) & bit(Phase::main)) != 0;
    const bool known = (world.unknown & bit(run)) == 0;
    if (ran && !lives && world.exits.at(run) != 1) return "an exit is lost";
    if (ran && !lives && !known && (world.orphaned & bit(run)) == 0) return "an exit's status is lost";
  }
  if (!wanted && !world.processes.empty()) return "something lives of a job that is not wanted";
  if (!wanted && (!world.items.empty() || world.run.pid != 0)) return "an item is held for ever";
  if (!wanted && world.state != JobState::stopped) return "a job that is not wanted is not stopped";
  if (!wanted && entry.state != JobState::stopped) return "the journal does not say that the job is stopped";
  const bool ever_let_go = std::any_of(world.let_go.begin(), world.let_go.end(),
                                       [](Byte phases) { return (phases & bit(Phase::main)) != 0; });
  const bool tried = ever_let_go || world.orphaned != 0 || world.ends < rules_.ends;
  if (!wanted && !world.stopped_once && !tried) {
    return "a job that was to run once never ran";
  }
  if (!wanted) return "";
  const Process* program = world.processes.begin();
  if (world.processes.size() != 1 || program->phase != Phase::main || program->being != Being::running) {
    return "a wanted job does not run";
  }
  if (world.items.size() != 1 || world.items.begin()->pid != program->pid) return "an item is held for ever";
  if (world.state != JobState::running || entry.state != JobState::running) return "it runs, and nobody says so";
  return world.run.pid == program->pid ? "" : "it runs, and nobody attends to it";
}

inline std::string Model::describe(const World& world) const {
  const Journal::Entry& entry = journal_[world.record];
  const auto name = [](Byte run, Phase phase) {
    return std::to_string(run) + (phase == Phase::pre ? "pre" : phase == Phase::post ? "post" : "");
  };
  std::string text = "journal: run " + std::to_string(entry.run) + " " + std::string(to_string(entry.state));
  if (entry.record.pid) text += " pid " + std::to_string(*entry.record.pid);
  text += entry.record.wanted ? " wanted" : " unwanted";
  text += world.manager ? "; manager " + std::string(to_string(At{world.at})) : "; no manager";
  if (world.manager && world.run.pid != 0) text += " of pid " + std::to_string(world.run.pid);
  text += world.keeper ? "; keeper:" : "; no keeper";
  for (const Item& item : world.items) text += " " + name(item.run, item.phase) + (item.ended ? "(ended)" : "");
  text += "; processes:";
  for (const Process& process : world.processes) {
    text += " " + std::to_string(process.pid) + "=" + name(process.run, process.phase);
    text += process.being == Being::unborn ? "(unborn" : process.being == Being::running ? "(runs" : "(zombie";
    text += std::string(process.go ? ", let go" : "") + (process.child ? "" : ", orphan") +
            (process.doomed ? ", signalled" : "") + ")";
  }
  return text;
}

}  // namespace usvc::handover
