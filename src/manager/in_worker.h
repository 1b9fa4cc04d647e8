// For what may wait on a disk: one of the instance's workers does it while the manager's thread goes on.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "manager/instance.h"
#include "manager/wakeup.h"

namespace usvc {

// What `work()` returns; it must not touch what belongs to the manager's thread. The world may have changed meanwhile.
template <class Work>
asio::awaitable<std::invoke_result_t<Work>> in_worker(Instance* instance, Work work) {
  struct Shared {
    explicit Shared(asio::io_context& io) : done(io) {}
    std::optional<std::invoke_result_t<Work>> result;
    Wakeup done;
  };
  // Shared, since the waiting may be given up when the instance ends.
  auto shared = std::make_shared<Shared>(instance->io());
  asio::post(instance->workers(), [instance, shared, work = std::move(work)]() mutable {
    auto result = work();
    asio::post(instance->io(), [shared = std::move(shared), result = std::move(result)]() mutable {
      shared->result.emplace(std::move(result));
      shared->done.notify();
    });
  });
  while (!shared->result) co_await shared->done.wait();
  co_return std::move(*shared->result);
}

}  // namespace usvc
