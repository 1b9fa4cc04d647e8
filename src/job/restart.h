// Whether a job whose run has ended by itself is to run again. When is job/backoff's question.
#pragma once

#include "job/exit_status.h"

namespace usvc {

// In the order of the option's choices.
enum class RestartPolicy { always, on_failure, never };

// An end that nobody saw counts as a failure: running a finished job once more is the smaller harm.
inline bool wants_restart(RestartPolicy policy, const ExitStatus& status) {
  switch (policy) {
    case RestartPolicy::always:
      return true;
    case RestartPolicy::on_failure:
      return !status.success();
    case RestartPolicy::never:
      return false;
  }
  return false;
}

}  // namespace usvc
