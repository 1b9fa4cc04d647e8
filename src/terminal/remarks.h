// What a viewer is told between the lines: its job has ended, waits, has been started again.
#pragma once

#include <optional>
#include <string>

#include "shapes/event.h"
#include "shapes/views.h"

namespace usvc {

// One that belongs at a place in the job's output.
struct Remark {
  std::string text;                        // without the ## around it; empty: a run begins, and nothing is said
  std::optional<std::int64_t> log_offset;  // nothing: behind all there is
  bool run_over = false;                   // the run before is over, its output complete
  bool removed = false;                    // the job is no more
};

class Remarks {
 public:
  explicit Remarks(std::string job) : job_(std::move(job)) {}

  // Of the next event; an exit is told with what comes of it, which is when all of its output is there.
  std::optional<Remark> take(const Event& event);

 private:
  std::string job_;
  std::string exit_;  // the words of one that has not been told
};

// Of a job nothing of which runs; empty: there is nothing to say.
std::string standing_words(const JobView& job);

}  // namespace usvc
