#include <algorithm>
#include <string>

#include "cli/command.h"
#include "cli/doctor/checks.h"
#include "cli/json_out.h"
#include "cli/observe.h"
#include "cli/remote.h"

namespace usvc::command {

namespace {

using namespace doctor;

Findings examine(const Context& context) {
  Patient patient;
  patient.context = &context;
  Findings findings;
  const auto add = [&](Findings found) {
    for (auto& finding : found) findings.push_back(std::move(finding));
  };
  auto vars = Remote(context, NoInstance::offline).vars();
  auto jobs = Remote(context, NoInstance::offline).jobs({});
  if (vars && jobs) {
    patient.vars = std::move(*vars);
    patient.jobs = std::move(jobs->jobs);
    patient.troubles = std::move(jobs->troubles);
    observe_jobs(patient.jobs);
    add(check_instance(patient));
    add(check_jobs(patient));
  } else {
    const Error& error = vars ? jobs.error() : vars.error();
    findings.push_back(trouble("instance", error.bare_message(), error.hint()));
  }
  add(check_boot(patient));
  add(check_limits(patient));
  add(check_places(patient));
  add(check_machine(patient));
  return findings;
}

Color color_of(const FindingView& finding) {
  return finding.severity == "trouble" ? Color::red : finding.severity == "hint" ? Color::yellow : Color::green;
}

std::string text_of(const Findings& findings, const Terminal& terminal) {
  constexpr std::size_t severity_width = 9;
  constexpr std::size_t about_width = 11;
  std::string text;
  for (const auto& finding : findings) {
    text += terminal.paint(color_of(finding), finding.severity);
    text.append(severity_width - std::min(severity_width, finding.severity.size()), ' ');
    text += finding.about;
    text.append(about_width - std::min(about_width - 1, finding.about.size()), ' ');
    text += finding.what + "\n";
    if (finding.mend && !finding.mend->empty()) {
      text.append(severity_width + about_width, ' ');
      text += "-> " + *finding.mend + "\n";
    }
  }
  return text;
}

}  // namespace

Result<int> doctor(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "doctor"); !status) return pass(status);
  const Context& context = invocation.context;
  DoctorView view{.findings = examine(context)};
  const bool ill =
      std::ranges::any_of(view.findings, [](const FindingView& finding) { return finding.severity == "trouble"; });
  if (auto status = context.json ? print_json(view) : print(text_of(view.findings, context.out)); !status) {
    return pass(status);
  }
  return ill ? 1 : 0;
}

}  // namespace usvc::command
