// A cgroup of a test's own, in the cgroup v2 hierarchy of this machine if it has one.
#pragma once

#include <string>

namespace usvc::test {

class OwnCgroup {
 public:
  // Makes it; `why_not` is why there is none, or empty.
  explicit OwnCgroup(const std::string& name);
  ~OwnCgroup();
  OwnCgroup(const OwnCgroup&) = delete;
  OwnCgroup& operator=(const OwnCgroup&) = delete;
  OwnCgroup(OwnCgroup&&) = delete;
  OwnCgroup& operator=(OwnCgroup&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  // With those below it; false while a process is in one of them.
  [[nodiscard]] bool remove() const;

 private:
  std::string path_;
  std::string why_not_;
};

}  // namespace usvc::test
