// What is shown: on a terminal where it does not fit, through the user's pager, as git does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/program.h"
#include "cli/context.h"

namespace usvc {

// What a pager is to show first.
enum class PagerBegin : std::uint8_t { top, end };

class PagedOutput {
 public:
  // `wanted` false: all goes to stdout at once.
  PagedOutput(const Context& context, bool wanted, PagerBegin begin);
  ~PagedOutput();
  PagedOutput(const PagedOutput&) = delete;
  PagedOutput& operator=(const PagedOutput&) = delete;

  Status write(std::string_view text);
  // The pager was left: nobody reads what else there is.
  [[nodiscard]] bool left() const { return left_; }
  // Shows what is held back, and waits for the pager's end.
  Status finish();

 private:
  [[nodiscard]] bool fits() const;
  Status begin();
  Status to_pager(std::string_view text);

  const Context* context_;
  PagerBegin begin_;
  std::string command_;  // empty: none
  std::string held_;     // so long as it may still fit
  std::optional<ChildProgram> pager_;
  Fd pipe_;
  bool left_ = false;
};

}  // namespace usvc
