// Every interleaving of kills with the hand-over of one job between managers and keepers: never two copies, no exit
// lost. Breadth first, so that the trace of a fault is a shortest one.
#include "handover_model.h"

#include <gtest/gtest.h>

#include <deque>
#include <iostream>
#include <unordered_set>

namespace usvc::handover {
namespace {

struct Findings {
  std::size_t worlds = 0;
  std::size_t steps = 0;
  std::size_t ends = 0;  // worlds in which nothing is left to happen
  std::string fault;     // with its trace; empty: none
};

class Explorer {
 public:
  explicit Explorer(const Rules& rules) : model_(rules), seen_(16, Hash{&worlds_}, Equal{&worlds_}) {}

  Findings run() {
    add(model_.first(), 0, "a job is created");
    Findings findings;
    for (std::uint32_t i = 0; i < worlds_.size() && findings.fault.empty(); ++i) {
      const World world = worlds_[i];
      bool over = true;
      model_.successors(world, [&](const World& next, const char* what, bool must, const std::string& fault) {
        over = over && !must;
        ++findings.steps;
        if (!findings.fault.empty()) return;
        const std::uint32_t number = add(next, i, what);
        if (!fault.empty()) findings.fault = fault + trace(i) + line(what, worlds_[number]);
      });
      if (!over || !findings.fault.empty()) continue;
      ++findings.ends;
      if (const std::string fault = model_.at_the_end(world); !fault.empty()) findings.fault = fault + trace(i);
    }
    findings.worlds = worlds_.size();
    return findings;
  }

 private:
  struct Hash {
    const std::deque<World>* worlds;
    std::size_t operator()(std::uint32_t i) const { return std::hash<std::string_view>()((*worlds)[i].bytes()); }
  };
  struct Equal {
    const std::deque<World>* worlds;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return (*worlds)[a] == (*worlds)[b]; }
  };
  struct Origin {
    std::uint32_t from;
    const char* what;
  };

  std::uint32_t add(const World& world, std::uint32_t from, const char* what) {
    const auto number = static_cast<std::uint32_t>(worlds_.size());
    worlds_.push_back(world);
    const auto [found, fresh] = seen_.insert(number);
    if (fresh) {
      origins_.push_back({from, what});
    } else {
      worlds_.pop_back();
    }
    return *found;
  }

  std::string line(const char* what, const World& world) const {
    return "\n  " + std::string(what) + "\n      " + model_.describe(world);
  }

  std::string trace(std::uint32_t i) const {
    std::string text;
    for (;; i = origins_[i].from) {
      text.insert(0, line(origins_[i].what, worlds_[i]));
      if (i == 0) return text;
    }
  }

  Model model_;
  std::deque<World> worlds_;
  std::deque<Origin> origins_;
  std::unordered_set<std::uint32_t, Hash, Equal> seen_;
};

Findings explore(const Rules& rules) {
  Findings findings = Explorer(rules).run();
  std::cout << findings.worlds << " worlds, " << findings.steps << " steps, " << findings.ends << " ends\n";
  return findings;
}

void expect_sound(const Rules& rules) {
  const Findings findings = explore(rules);
  if (!findings.fault.empty()) ADD_FAILURE() << findings.fault;
  EXPECT_GT(findings.ends, 0U);
}

TEST(Handover, AProgramAlone) {
  expect_sound({.kills = 3, .ends = 1, .stops = 0, .starts = 0});
}

TEST(Handover, AProgramThatIsStoppedAndStarted) {
  expect_sound({.kills = 3, .ends = 0, .stops = 1, .starts = 1});
}

TEST(Handover, AProgramWithHooks) {
  expect_sound({.kills = 2, .ends = 1, .stops = 1, .starts = 0, .pre_hook = true, .post_hook = true});
}

TEST(Handover, AProgramWithHooksAndOneKill) {
  expect_sound({.kills = 1, .ends = 1, .stops = 1, .starts = 1, .pre_hook = true, .post_hook = true});
}

TEST(Handover, AProgramOnAFullDisk) {
  expect_sound({.kills = 2, .ends = 1, .stops = 0, .starts = 0, .post_hook = true, .full_disk = true});
}

TEST(Handover, AProgramThatIsToRunOnce) {
  expect_sound({.kills = 3, .ends = 1, .stops = 0, .starts = 0, .restart = RestartPolicy::never});
}

// What the explorer is worth: each mistake is found within the bounds above, and this is the fault that it shows first.
struct Lesson {
  Mistake mistake;
  Rules rules;
  std::string_view fault;
};

TEST(Handover, TheExplorerFindsTheClassicMistakes) {
  const Rules plain{.kills = 2, .ends = 1, .stops = 1, .starts = 0};
  const Rules once{.kills = 2, .ends = 1, .stops = 0, .starts = 0, .restart = RestartPolicy::never};
  const Rules hook{.kills = 1, .ends = 0, .stops = 0, .starts = 0, .pre_hook = true};
  const Rules disk{.kills = 2, .ends = 1, .stops = 0, .starts = 0, .post_hook = true, .full_disk = true};
  const std::vector<Lesson> lessons = {
      {Mistake::lets_go_before_it_journals, plain, "it runs, and is not in the journal"},
      {Mistake::drains_the_living, plain, "the keeper is told to make what it holds already"},
      {Mistake::forgets_survivors, plain, "`exited` is journaled of a run that lives"},
      {Mistake::sweeps_past_launches, plain, "`exited` is journaled of a run that lives"},
      {Mistake::drops_before_it_journals, plain, "an end is called unknown, and its keeper lives"},
      {Mistake::asks_again_after_the_hook, hook, "an end is called unknown, and its keeper lives"},
      {Mistake::takes_absence_for_a_start, once, "`running` is journaled of a program that was never let go"},
      {Mistake::takes_orphans_for_alive, plain, "the manager thinks that the journal has lost a run"},
      {Mistake::keeps_dead_launches, once, "an end is called unknown, and its keeper lives"},
      {Mistake::leaves_runs_open, plain, "the journal does not say that the job is stopped"},
      {Mistake::lets_any_process_lead, disk, "the keeper is told to make what it holds already"},
      {Mistake::obeys_overtaken_starts, plain, "a run begins after the stop was acknowledged"},
  };
  for (const Lesson& lesson : lessons) {
    Rules rules = lesson.rules;
    rules.mistake = lesson.mistake;
    const std::string fault = explore(rules).fault;
    EXPECT_TRUE(fault.starts_with(lesson.fault)) << lesson.fault << "\n" << fault;
  }
}

}  // namespace
}  // namespace usvc::handover
