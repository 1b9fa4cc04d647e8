// What `usvc doctor` looks at. Each check says what it found, also when all is well; none changes anything.
#pragma once

#include <optional>
#include <vector>

#include "cli/context.h"
#include "cli/doctor/finding.h"
#include "shapes/views.h"

namespace usvc::doctor {

struct Patient {
  const Context* context = nullptr;
  VarsView vars;
  std::vector<JobView> jobs;  // observed
  std::vector<std::string> troubles;
};

Findings check_instance(const Patient& patient);
Findings check_jobs(const Patient& patient);
Findings check_boot(const Patient& patient);
Findings check_limits(const Patient& patient);
Findings check_places(const Patient& patient);
Findings check_machine(const Patient& patient);

}  // namespace usvc::doctor
