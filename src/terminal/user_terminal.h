// The terminal the user sits at: every key is read as it is, and all is put back at the end.
#pragma once

#include <termios.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "base/window_size.h"

namespace usvc {

class UserTerminal {
 public:
  // Standard input and output. An error where one of them is no terminal: `instead` is what to use then.
  static Result<std::unique_ptr<UserTerminal>> open(const std::string& instead);
  ~UserTerminal();
  UserTerminal(const UserTerminal&) = delete;
  UserTerminal& operator=(const UserTerminal&) = delete;
  UserTerminal(UserTerminal&&) = delete;
  UserTerminal& operator=(UserTerminal&&) = delete;

  // Open files of our own, non-blocking where that can be had without changing those that the caller shares with us.
  [[nodiscard]] FdRef input() const { return input_; }
  [[nodiscard]] FdRef output() const { return output_; }
  [[nodiscard]] WindowSize size() const;

  // Every key as it is, nothing echoed, nothing done to what is written.
  Status make_raw();
  // As it was. `reset` is written before; a terminal that does not take it in time goes without.
  void restore(std::string_view reset);
  // What fits now: how much of it was written.
  Result<std::size_t> write_some(std::string_view bytes);

 private:
  UserTerminal(Fd input, Fd output, const termios& before)
      : input_(std::move(input)), output_(std::move(output)), before_(before) {}

  Fd input_;
  Fd output_;
  termios before_;
  int flags_before_ = 0;  // of the open file that standard input and, mostly, output are
  bool raw_ = false;
};

}  // namespace usvc
