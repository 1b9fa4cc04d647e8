#include "manager/job.h"

#include "manager/life.h"

namespace usvc {

Job::Job(asio::io_context& io, std::string job_name) : name(std::move(job_name)), wakeup(io) {}
Job::~Job() = default;

}  // namespace usvc
