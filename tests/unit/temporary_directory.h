// A directory of a test's own, gone with the object.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "base/files.h"

namespace usvc {

class TemporaryDirectory {
 public:
  TemporaryDirectory() { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  ~TemporaryDirectory() { EXPECT_TRUE(remove_all(path_)); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "usvc-test-XXXXXX";
};

}  // namespace usvc
