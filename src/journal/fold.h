// The journal's meaning: what a sequence of events says of each job. Manager and offline reader share it, and the
// manager changes its own picture of a job by nothing else, so that what it believes is what the next one will read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "shapes/event.h"
#include "shapes/record.h"

namespace usvc {

// One event of this job's. Times go by the event's own clock.
void apply(JobRecord& record, const Event& event);

// What is remembered of requests, so that one that is asked again does nothing twice.
struct SeenRequest {
  double t = 0;
  std::vector<std::string> jobs;  // acted on, in order
};

struct Picture {
  std::map<std::string, JobRecord, std::less<>> jobs;
  std::map<std::string, SeenRequest, std::less<>> requests;  // by idempotency key
  std::size_t skipped_lines = 0;
  std::vector<std::string> complaints;  // one per segment with unreadable lines: file, line and why
};

void apply(Picture& picture, const Event& event);
// Forgets requests older than ten minutes: a client gives up long before.
void forget_old_requests(Picture& picture, double now);

// Reads the newest segment that begins with a whole checkpoint (or the oldest of all) and everything after it.
// `tail` is what belongs at the end of the newest and is not on the disk yet. Unreadable lines are skipped and
// complained about; only a directory that can't be read is an error.
Result<Picture> fold_journal(const std::string& dir, std::string_view tail = {});

}  // namespace usvc
