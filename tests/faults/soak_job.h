// What a job of the soak does: writes numbered lines, keeps an account of its runs, and ends as it is told to.
#pragma once

namespace usvc::test {

// DIRECTORY KIND INTERVAL-MS, as main() got them after "job".
[[noreturn]] void be_soak_job(const char* directory, const char* kind, long interval_ms);

}  // namespace usvc::test
