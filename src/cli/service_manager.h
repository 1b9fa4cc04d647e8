// Whoever started us and wants to be told how we are: systemd, or another that speaks its protocol (sd_notify(3)).
#pragma once

#include <string>
#include <string_view>

namespace usvc {

class ServiceManager {
 public:
  // Of NOTIFY_SOCKET and USVC_UNIT, which are taken out of the environment: they are not the instance's.
  static ServiceManager take();

  // "READY=1". Without anybody to tell, nothing.
  void tell(std::string_view state) const;
  // We are a systemd unit made by `usvc init --boot`.
  [[nodiscard]] bool has_unit() const { return !unit_.empty(); }
  // The unit is about to be started again: what it was asked to end is not to end the jobs.
  [[nodiscard]] bool restarting() const;

 private:
  std::string socket_;
  std::string unit_;
};

}  // namespace usvc
