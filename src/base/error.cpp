#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace usvc {

Error Error::from_errno(int err, std::string what) {
  // generic_category is thread-safe where strerror is not.
  Error error(std::move(what) + ": " + std::generic_category().message(err));
  error.code_ = err;
  return error;
}

Error Error::last(std::string what) {
  return from_errno(errno, std::move(what));
}

}  // namespace usvc
