// Errors as values. One line for a person: what failed, why, and in parentheses what to do about it.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace usvc {

// What an error means to whoever called; the client's exit status follows from it.
enum class ErrorKind {
  failure,      // something failed (exit status 1)
  usage,        // the caller asked for nonsense (2)
  no_match,     // a selector matched no job (3)
  unreachable,  // the manager can't be reached or started (4)
};

class Error {
 public:
  explicit Error(std::string message, ErrorKind kind = ErrorKind::failure)
      : message_(std::move(message)), kind_(kind) {}

  // "WHAT: strerror(ERR)". `err` is an errno value and is kept for callers that branch on it.
  static Error from_errno(int err, std::string what);
  // The same from the calling thread's errno, which must not have been touched since the failure.
  static Error last(std::string what);

  // Adds what was being done, on the way up: "cannot load the journal: " + the rest.
  Error context(const std::string& what) && {
    message_ = what + ": " + message_;
    return std::move(*this);
  }
  // Adds what the user can do; shown in parentheses at the end. A later hint replaces an earlier one.
  Error hint(std::string what_to_do) && {
    hint_ = std::move(what_to_do);
    return std::move(*this);
  }
  Error as(ErrorKind kind) && {
    kind_ = kind;
    return std::move(*this);
  }

  [[nodiscard]] int code() const { return code_; }  // errno, or 0
  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] const std::string& bare_message() const { return message_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }
  [[nodiscard]] std::string message() const { return hint_.empty() ? message_ : message_ + " (" + hint_ + ")"; }

 private:
  std::string message_;
  std::string hint_;
  int code_ = 0;
  ErrorKind kind_ = ErrorKind::failure;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}
inline std::unexpected<Error> fail(std::string message, ErrorKind kind = ErrorKind::failure) {
  return std::unexpected<Error>(Error(std::move(message), kind));
}
// Hands a failed result's error on to a function that returns another type.
template <class T>
std::unexpected<Error> pass(Result<T>& failed) {
  return std::unexpected<Error>(std::move(failed).error());
}
template <class T>
std::unexpected<Error> pass(Result<T>& failed, const std::string& context) {
  return std::unexpected<Error>(std::move(failed).error().context(context));
}

}  // namespace usvc
