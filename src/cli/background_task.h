// Work that goes on in a thread of its own while a command does something else.
#pragma once

#include <sys/eventfd.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

template <class T>
class BackgroundTask {
 public:
  // `given_up` can be read when nobody wants to know any more: the work is to end soon.
  using Work = std::function<Result<T>(FdRef given_up)>;

  static Result<std::unique_ptr<BackgroundTask>> begin(Work work) {
    Fd given_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    Fd done(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!given_up || !done) return fail(Error::last("cannot do two things at once"));
    try {
      return std::make_unique<BackgroundTask>(std::move(given_up), std::move(done), std::move(work));
    } catch (const std::system_error& error) {  // no thread is to be had
      return fail(Error::from_errno(error.code().value(), "cannot do two things at once"));
    }
  }
  BackgroundTask(Fd given_up, Fd done, Work work)
      : given_up_(std::move(given_up)), done_(std::move(done)), task_(std::move(work)), result_(task_.get_future()) {
    thread_ = std::jthread([this] {
      task_(given_up_);
      (void)::eventfd_write(done_.get(), 1);  // fails only when it counts too much
    });
  }
  ~BackgroundTask() { (void)::eventfd_write(given_up_.get(), 1); }
  BackgroundTask(const BackgroundTask&) = delete;
  BackgroundTask& operator=(const BackgroundTask&) = delete;
  BackgroundTask(BackgroundTask&&) = delete;
  BackgroundTask& operator=(BackgroundTask&&) = delete;

  // Readable from the moment on when it is over.
  [[nodiscard]] FdRef done() const { return done_; }
  [[nodiscard]] bool is_done() const {
    return result_.valid() && result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  // Once: what came of it, waited for; what the work has thrown is thrown here.
  Result<T> take() { return result_.get(); }

 private:
  Fd given_up_;
  Fd done_;
  std::packaged_task<Result<T>(FdRef)> task_;
  std::future<Result<T>> result_;
  std::jthread thread_;
};

}  // namespace usvc
