// The table of `status`.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"
#include "shapes/views.h"
#include "terminal/job_row.h"

namespace usvc {

// "box" [8 cores] [load 0.42 0.31 0.30 1/402] …
std::string host_line(const HostView& host);
// What needs a look and is no single job's: "! …".
std::string trouble_line(const std::string& trouble, const Terminal& terminal);
// What a line says of the job. `now` is unix time.
JobRow job_row(const JobView& job, double now);
// The header and a line for each job, in the order given; columns are as wide as their data, lines are cut to the
// terminal.
std::string job_table(const std::vector<JobView>& jobs, double now, const Terminal& terminal);

}  // namespace usvc
